import { chmod, mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** A mesh's home folder: the sidecars' working directory, with everything the mesh writes under its `.data`. */
export interface Home {
  readonly root: string;
  readonly data: string;
  readonly logs: string;
  readonly secretsFile: string;
  readonly stateFile: string;
  readonly socket: string;
  readonly redis: string;
  readonly redisConfig: string;
  readonly resolverFile: string;
  /** The keys of Sentry, the mesh's certificate authority. */
  readonly certificates: string;
  /** The development certificate of the edge. */
  readonly edge: string;
}

/** Where things lie in a home folder. */
export function homeAt(root: string): Home {
  const data = join(resolve(root), '.data');
  return {
    root: resolve(root),
    data,
    logs: join(data, 'logs'),
    secretsFile: join(data, 'secrets.json'),
    stateFile: join(data, 'mesh.json'),
    socket: join(data, 'mesh.sock'),
    redis: join(data, 'redis'),
    redisConfig: join(data, 'redis.conf'),
    // As in dapr-config/config.yaml.
    resolverFile: join(data, 'nr.db'),
    certificates: join(data, 'certs'),
    // As the gateway's config.ts has it.
    edge: join(data, 'edge'),
  };
}

/** The repository that this file is part of. */
export const repository = resolve(import.meta.dirname, '../..');

/** Makes the home's folders; nobody else may list them, and when we are root the database's user may pass through. */
export async function prepareHome(home: Home): Promise<void> {
  await mkdir(home.logs, { recursive: true });
  await chmod(home.data, process.getuid?.() === 0 ? 0o711 : 0o700);
}

/** A fresh folder to be the home of a mesh that is thrown away (dropData, then remove it). */
export async function makeTemporaryHome(): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'sidecart-'));
  await prepareHome(homeAt(root));
  await chmod(root, process.getuid?.() === 0 ? 0o711 : 0o700);
  return root;
}
