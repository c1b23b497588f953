import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { UserError } from './user-error.ts';

const port = z.number().int().min(1).max(65535);
const portText = z.string().regex(/^\d{2,5}$/);
const env = z.record(z.string(), z.string());

// Strict: a key that `dapr run -f` honours and this launcher would not is refused, never ignored.
const common = z.strictObject({
  resourcesPaths: z.array(z.string()).min(1),
  configFilePath: z.string(),
  apiListenAddresses: z.string(),
  placementHostAddress: z.literal(''),
  schedulerHostAddress: z.literal(''),
  // Where `dapr run -f` writes; this launcher writes to .data/logs.
  daprdLogDestination: z.string().optional(),
  appLogDestination: z.string().optional(),
  env: env.default({}),
});
const app = z.strictObject({
  appID: z.string().regex(/^[a-z][a-z0-9-]*$/),
  appDirPath: z.string(),
  command: z.array(z.string()).min(1),
  appProtocol: z.enum(['http', 'grpc']).default('http'),
  appPort: port,
  daprHTTPPort: port,
  daprGRPCPort: port,
  daprInternalGRPCPort: port,
  metricsPort: port,
  configFilePath: z.string().optional(),
  env: z
    .object({ OPS_PORT: portText })
    .catchall(z.string())
    .refine(({ HTTPS_PORT }) => portText.optional().safeParse(HTTPS_PORT).success, 'HTTPS_PORT is no port'),
});
const runFile = z.strictObject({ version: z.literal(1), common, apps: z.array(app).min(1) });

/** The ports of an app and its sidecar; `https` only at the edge. */
export interface Ports {
  readonly app: number;
  readonly ops: number;
  readonly http: number;
  readonly grpc: number;
  readonly internal: number;
  readonly metrics: number;
  readonly https?: number | undefined;
}

/** An app of the run file, common keys merged in, every path absolute. */
export interface RunApp {
  readonly id: string;
  readonly directory: string;
  readonly command: readonly string[];
  readonly protocol: 'http' | 'grpc';
  readonly ports: Ports;
  readonly env: Readonly<Record<string, string>>;
  readonly listenAddresses: string;
  readonly resourcesPaths: readonly string[];
  readonly configFile: string;
}

/** Reads a multi-app run file as `dapr run -f` does: its paths are relative to the file itself, an app's to the app's folder. */
export function parseRunFile(text: string, path: string): RunApp[] {
  const parsed = runFile.safeParse(parse(text));
  if (!parsed.success) {
    const issues = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'file'}: ${issue.message}`);
    throw new UserError(`${path} is not a run file that the launcher can start: ${issues.join('; ')}`);
  }
  const base = dirname(resolve(path));
  const shared = parsed.data.common;
  return parsed.data.apps.map((one) => {
    const directory = resolve(base, one.appDirPath);
    return {
      id: one.appID,
      directory,
      command: one.command,
      protocol: one.appProtocol,
      ports: {
        app: one.appPort,
        ops: Number(one.env.OPS_PORT),
        http: one.daprHTTPPort,
        grpc: one.daprGRPCPort,
        internal: one.daprInternalGRPCPort,
        metrics: one.metricsPort,
        ...(one.env['HTTPS_PORT'] !== undefined && { https: Number(one.env['HTTPS_PORT']) }),
      },
      env: { ...shared.env, ...one.env },
      listenAddresses: shared.apiListenAddresses,
      resourcesPaths: shared.resourcesPaths.map((folder) => resolve(base, folder)),
      configFile:
        one.configFilePath === undefined
          ? resolve(base, shared.configFilePath)
          : resolve(directory, one.configFilePath),
    };
  });
}

/** Reads and parses a run file; a file that cannot be used is one clear line. */
export async function readRunFile(path: string): Promise<RunApp[]> {
  return parseRunFile(await readFile(path, 'utf8'), path);
}

/** One replica's ports: each port of replica k lies 100 * k above the first one's. */
export function replicaPorts(ports: Ports, replica: number): Ports {
  const shift = (one: number) => one + 100 * replica;
  return {
    app: shift(ports.app),
    ops: shift(ports.ops),
    http: shift(ports.http),
    grpc: shift(ports.grpc),
    internal: shift(ports.internal),
    metrics: shift(ports.metrics),
    ...(ports.https !== undefined && { https: shift(ports.https) }),
  };
}
