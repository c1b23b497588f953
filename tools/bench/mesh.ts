import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseDocument } from 'yaml';
import { homeAt, makeTemporaryHome, repository } from '../mesh/home.ts';
import { startMesh, type Mesh } from '../mesh/mesh.ts';
import { dropCluster } from '../mesh/postgres-cluster.ts';
import type { Ports } from '../mesh/run-file.ts';

/** An app of a bench: its app-id, its script in `apps/`, and what it is told. */
export interface BenchApp {
  readonly id: string;
  readonly script: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Whether it owns a database with outbox and inbox. */
  readonly database?: boolean;
}

/** A running mesh of bench apps, with the process ids of each. */
export interface BenchMesh extends Pick<Mesh, 'servers'> {
  readonly folder: string;
  app(id: string): { readonly ports: Ports; readonly app: number; readonly sidecar: number };
  /** Every process, PostgreSQL and Redis too. */
  pids(): number[];
  stop(): Promise<void>;
}

const serverPorts = { postgres: 25_432, redis: 26_379, sentry: { api: 25_001, health: 26_598 } };

/** The ports of a bench's n-th app; they leave those of a mesh alone. */
export const portsOf = (n: number): Ports => ({
  app: 28_000 + n,
  ops: 28_100 + n,
  http: 28_200 + n,
  grpc: 28_300 + n,
  internal: 28_400 + n,
  metrics: 28_500 + n,
});

/** Starts bench apps beside sidecars by the mesh's own launcher, with its components and policies, in a folder of their own. */
export async function startBenchMesh(
  apps: readonly BenchApp[],
  components: Readonly<Record<string, string>> = {},
): Promise<BenchMesh> {
  const folder = await makeTemporaryHome();
  const remove = async () => {
    await dropCluster(homeAt(folder));
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await writeProject(folder, apps, components);
    const mesh = await startMesh({
      home: folder,
      root: folder,
      env: { LOG_LEVEL: 'warn' },
      postgres: { port: serverPorts.postgres },
      redis: { port: serverPorts.redis },
      sentry: serverPorts.sentry,
    });
    return {
      folder,
      servers: () => mesh.servers(),
      app(id) {
        const pair = mesh.pairs().find(({ service }) => service === id);
        if (pair?.appPid === undefined || pair.sidecarPid === undefined) throw new Error(`${id} does not run`);
        return { ports: pair.ports, app: pair.appPid, sidecar: pair.sidecarPid };
      },
      pids: () =>
        [
          ...mesh.servers().map(({ pid }) => pid),
          ...mesh.pairs().flatMap((pair) => [pair.appPid, pair.sidecarPid]),
        ].flatMap((pid) => pid ?? []),
      async stop() {
        await mesh.stop();
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function writeProject(
  folder: string,
  apps: readonly BenchApp[],
  components: Readonly<Record<string, string>>,
): Promise<void> {
  await cp(join(repository, 'components'), join(folder, 'components'), { recursive: true });
  for (const file of ['statestore.yaml', 'redis/pubsub.yaml', 'redis/ratelimits.yaml']) {
    const path = join(folder, 'components', file);
    await writeFile(path, (await readFile(path, 'utf8')).replace('16379', String(serverPorts.redis)));
  }
  for (const [name, text] of Object.entries(components))
    await writeFile(join(folder, 'components', `${name}.yaml`), text);
  await mkdir(join(folder, 'services'));
  const messaging = join(repository, 'services/_chassis/messaging-0001.sql');
  for (const { id } of apps.filter(({ database }) => database)) {
    await mkdir(join(folder, 'services', id, 'migrations'), { recursive: true });
    await writeFile(join(folder, 'services', id, 'migrations/0001_create_messaging.sql'), `\\ir ${messaging}\n`);
  }
  await mkdir(join(folder, 'dapr-config'));
  // Apps of a bench have no contract that says who may call whom, and what they may read.
  const configuration = parseDocument(await readFile(join(repository, 'dapr-config/config.yaml'), 'utf8'));
  configuration.setIn(['spec', 'accessControl', 'defaultAction'], 'allow');
  configuration.setIn(['spec', 'secrets', 'scopes', 0, 'defaultAccess'], 'allow');
  await writeFile(join(folder, 'dapr-config/config.yaml'), configuration.toString());
  await writeFile(join(folder, 'dapr-config/dapr.yaml'), JSON.stringify(runFile(apps)));
}

const runFile = (apps: readonly BenchApp[]) => ({
  version: 1,
  common: {
    resourcesPaths: ['../components', '../components/redis', join(repository, 'dapr-config/resources')],
    configFilePath: './config.yaml',
    apiListenAddresses: '127.0.0.1',
    placementHostAddress: '',
    schedulerHostAddress: '',
    env: { NODE_COMPILE_CACHE: join(repository, '.data/compile-cache') },
  },
  apps: apps.map(({ id, script, env = {} }, index) => {
    const ports = portsOf(index);
    return {
      appID: id,
      appDirPath: repository,
      command: ['node', `tools/bench/apps/${script}`],
      appPort: ports.app,
      daprHTTPPort: ports.http,
      daprGRPCPort: ports.grpc,
      daprInternalGRPCPort: ports.internal,
      metricsPort: ports.metrics,
      env: { ...env, OPS_PORT: String(ports.ops) },
    };
  }),
});
