import { z } from 'zod';

/** Where clients reach the mesh; the name of its issuer of tokens, so it has no slash at its end. */
const publicUrl = z.url({ protocol: /^https?$/ }).regex(/[^/]$/, 'must not end with a slash');

/** An address of this machine to listen on: loopback, or in a container, whose other end no neighbour can be, all. */
export const listenAddress = z.union([z.ipv4(), z.ipv6()]).default('127.0.0.1');
const port = z.coerce.number().int().min(1).max(65535);

/** What every app beside a sidecar is told by its environment; both tokens are required because there is no default secret. */
export const serviceEnvironment = {
  APP_ID: z.string().min(1),
  APP_PORT: port,
  OPS_PORT: port,
  OPS_ADDRESS: listenAddress,
  DAPR_HTTP_PORT: port,
  DAPR_GRPC_PORT: port,
  DAPR_API_TOKEN: z.string().min(1),
  APP_API_TOKEN: z.string().min(1),
  PUBLIC_URL: publicUrl.default('http://127.0.0.1:8080'),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
};

/** Where the service's own PostgreSQL database is; its name and role are the service's name, its password a secret. */
export const databaseEnvironment = {
  DATABASE_HOST: z.string().default('127.0.0.1'),
  DATABASE_PORT: port,
  DATABASE_POOL_SIZE: z.coerce.number().int().min(1).max(50).default(5),
};

/** How a consumer's catch-up is paced, in milliseconds. */
export const catchUpEnvironment = {
  CATCH_UP_INTERVAL_MS: z.coerce.number().int().min(50).default(2_000),
  CATCH_UP_GRACE_MS: z.coerce.number().int().min(0).default(1_500),
};

/** Parses the environment; throws one error that names every bad variable, never its value. */
export function readConfig<Shape extends z.ZodRawShape>(
  shape: Shape,
  environment: NodeJS.ProcessEnv = process.env,
): z.infer<z.ZodObject<Shape>> {
  const result = z.object(shape).safeParse(environment);
  if (result.success) return result.data;
  const bad = result.error.issues.map((issue) => `  ${issue.path.join('.')}: ${issue.message}`);
  throw new Error(`the environment is not usable:\n${bad.join('\n')}`);
}
