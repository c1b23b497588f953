import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { UserError } from '../mesh/user-error.ts';

/** Where a project has it. */
export const composeName = 'compose.yaml';

const strings = z.array(z.string());
// What is not named here stays as it is, for whoever copies a service.
const service = z.looseObject({
  image: z.string(),
  user: z.string().optional(),
  hostname: z.string().optional(),
  profiles: strings.default([]),
  entrypoint: strings.optional(),
  command: strings.default([]),
  environment: z.record(z.string(), z.string()).default({}),
  network_mode: z.string().optional(),
  networks: z
    .union([strings, z.record(z.string(), z.looseObject({ aliases: strings.optional() }).nullable())])
    .default([]),
  ports: strings.default([]),
  volumes: strings.default([]),
  tmpfs: strings.default([]),
  depends_on: z
    .record(z.string(), z.looseObject({ condition: z.string(), required: z.boolean().optional() }))
    .default({}),
  healthcheck: z.looseObject({ disable: z.boolean().optional(), test: strings.optional() }).optional(),
  restart: z.string().optional(),
  init: z.boolean().optional(),
  read_only: z.boolean().optional(),
  privileged: z.boolean().optional(),
  cap_drop: strings.default([]),
  cap_add: strings.default([]),
  security_opt: strings.default([]),
  mem_limit: z.string().optional(),
  cpus: z.number().optional(),
  pids_limit: z.number().int().optional(),
  logging: z.looseObject({ driver: z.string(), options: z.record(z.string(), z.string()) }).optional(),
  stop_signal: z.string().optional(),
  stop_grace_period: z.string().optional(),
});
const composeFile = z.looseObject({
  name: z.string(),
  services: z.record(z.string(), service),
  networks: z.record(z.string(), z.looseObject({ internal: z.boolean().optional() }).nullable()),
  volumes: z.record(z.string(), z.looseObject({}).nullable()),
});

/** A container of the file: anchors and merge keys resolved, what is not said as Compose takes it. */
export type ComposeService = z.infer<typeof service>;
export type ComposeFile = z.infer<typeof composeFile>;

/** Reads a compose file as this project writes it (lists and maps in one form each); another form is refused by its place. */
export function parseComposeFile(text: string): ComposeFile {
  const parsed = composeFile.safeParse(parse(text, { merge: true }));
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'file'}: ${issue.message}`);
  throw new UserError(`${composeName} is not as the tools read it: ${issues.join('; ')}`);
}

/** Reads a project's compose file. */
export async function readComposeFile(root: string): Promise<ComposeFile> {
  return parseComposeFile(await readFile(join(root, composeName), 'utf8'));
}

/** The networks a container is on by itself, without those of the pod that it joins. */
export function networksOf({ networks }: Pick<ComposeService, 'networks'>): string[] {
  return Array.isArray(networks) ? networks : Object.keys(networks);
}

/** A mount: a volume of the file, or (`bind`) a path of the host. */
export interface Mount {
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
  readonly bind: boolean;
}

/** The mounts of a container. */
export function mountsOf({ volumes }: Pick<ComposeService, 'volumes'>): Mount[] {
  return volumes.map((text) => {
    const [source = '', target = '', mode] = text.split(':');
    return { source, target, readOnly: mode === 'ro', bind: /^[./~$]/.test(source) };
  });
}

/** The containers that end by themselves: whose end others wait for, and those that a person runs. */
export function endingOf({ services }: ComposeFile): Set<string> {
  const awaited = Object.values(services).flatMap(({ depends_on }) =>
    Object.entries(depends_on).flatMap(([name, { condition }]) =>
      condition === 'service_completed_successfully' ? [name] : [],
    ),
  );
  return new Set([...awaited, 'cli', 'suite']);
}
