import { randomInt } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import type { Contract } from '../_chassis/contract.ts';
import { createSidecar, type Sidecar } from '../_chassis/sidecar.ts';
import { describeAccess, sharedConfiguration } from '../../tools/contracts/access.ts';
import type { Group } from '../../tools/mesh/group.ts';
import { homeAt, makeTemporaryHome, repository } from '../../tools/mesh/home.ts';
import { newTokens, type PairOptions } from '../../tools/mesh/pair.ts';
import { isFree } from '../../tools/mesh/ports.ts';
import { endProcess, inheritedEnvironment, startProcess } from '../../tools/mesh/process.ts';
import { createSentry, mtlsFlags, sidecarIdentity } from '../../tools/mesh/sentry.ts';
import { waitUntilReady } from '../../tools/mesh/wait.ts';
import { findDaprd } from '../../tools/setup/locate.mjs';

/** A folder in which the daprds of one test find each other, with their certificate authority; gone after `remove`. */
export interface DaprdHome {
  readonly folder: string;
  readonly sentry: Group;
  /** What makes a daprd one of its own. */
  readonly mtls: PairOptions['mtls'];
  remove(): Promise<void>;
}

/** A daprd beside an app of a test, with the mesh's own resiliency, and its Configuration for the app's contract. */
export interface Daprd {
  readonly httpPort: number;
  readonly grpcPort: number;
  readonly internalPort: number;
  readonly metricsPort: number;
  readonly apiToken: string;
  readonly pid: number;
  /** A client of it, closed with it. */
  readonly sidecar: Sidecar;
  /** Ends the process at once. */
  kill(): Promise<void>;
  stop(): Promise<void>;
}

/** A free home with these secrets in the file that a secret store of the mesh reads. */
export async function makeDaprdHome(secrets: Readonly<Record<string, string>>): Promise<DaprdHome> {
  const folder = await makeTemporaryHome();
  await writeFile(homeAt(folder).secretsFile, JSON.stringify(secrets), { mode: 0o600 });
  const ports = { api: await freePort(), health: await freePort() };
  const sentry = createSentry({ home: homeAt(folder), ports, onEvent: () => undefined });
  sentry.start();
  await waitUntilReady([sentry], { timeoutMs: 30_000 });
  return {
    folder,
    sentry,
    mtls: { flags: mtlsFlags(ports), env: await sidecarIdentity(homeAt(folder)) },
    async remove() {
      await sentry.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const given = new Set<number>();
// Two files run at a time (vitest.config.ts), each with ports of its own.
const from = 20_000 + 6_000 * (Number(process.env['VITEST_POOL_ID'] ?? 0) % 2);

/** A loopback port that is free now, was not given before, and is not of those that outgoing connections take. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(from, from + 6_000);
    if (given.has(port)) continue;
    given.add(port);
    if (await isFree(port)) return port;
  }
}

/** A component's YAML; values are strings, as Dapr wants them. */
export const component = (name: string, type: string, metadata: Readonly<Record<string, string>> = {}): string =>
  JSON.stringify({
    apiVersion: 'dapr.io/v1alpha1',
    kind: 'Component',
    metadata: { name },
    spec: { type, version: 'v1', metadata: Object.entries(metadata).map(([key, value]) => ({ name: key, value })) },
  });

/** Starts a daprd for an app that listens already, and waits until it can call out and knows the app's subscriptions. */
export async function startDaprd(options: {
  home: DaprdHome;
  appId: string;
  protocol: 'http' | 'grpc';
  appPort: number;
  appToken: string;
  contract: Contract;
  components: Readonly<Record<string, string>>;
  /** Whether the app has subscriptions. */
  subscribes?: boolean;
}): Promise<Daprd> {
  const { appId, home, subscribes = true } = options;
  const daprd = findDaprd();
  if (!daprd) throw new Error('there is no daprd: run this through `make test`');
  const resources = join(home.folder, appId);
  await mkdir(resources, { recursive: true });
  const files = Object.entries(options.components);
  await Promise.all(files.map(([name, text]) => writeFile(join(resources, `${name}.yaml`), text)));
  const config = `${resources}.config.yaml`;
  const shared = await readFile(join(repository, sharedConfiguration), 'utf8');
  await writeFile(config, describeAccess(shared, options.contract));
  const { DAPR_API_TOKEN: apiToken } = newTokens();
  const [httpPort, grpcPort, internalPort, metricsPort] = await Promise.all([
    freePort(),
    freePort(),
    freePort(),
    freePort(),
  ]);
  const flags = {
    'app-id': appId,
    'app-protocol': options.protocol,
    'app-port': options.appPort,
    'dapr-http-port': httpPort,
    'dapr-grpc-port': grpcPort,
    'dapr-internal-grpc-port': internalPort,
    'metrics-port': metricsPort,
    'dapr-listen-addresses': '127.0.0.1',
    'metrics-listen-address': '127.0.0.1',
    'dapr-internal-grpc-listen-address': '127.0.0.1',
    config,
  };
  const logFile = join(homeAt(home.folder).logs, `${appId}.sidecar.log`);
  const child = startProcess({
    name: appId,
    command: daprd.path,
    args: [
      ...Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, String(value)]),
      ...home.mtls.flags,
      ...['--resources-path', resources, '--resources-path', join(repository, 'dapr-config/resources')],
    ],
    cwd: home.folder,
    env: {
      ...inheritedEnvironment(),
      ...home.mtls.env,
      DAPR_API_TOKEN: apiToken,
      APP_API_TOKEN: options.appToken,
      DAPR_HOST_IP: '127.0.0.1',
    },
    logFile,
    mark: 'daprd',
    orphanSignal: 'SIGKILL',
  });
  const sidecar = createSidecar({ port: httpPort, apiToken });
  const kill = () => endProcess(child, 'SIGKILL', 0);
  const stop = async () => {
    await kill();
    await sidecar.close();
  };
  const limit = Date.now() + 90_000;
  while (!(await isReady(httpPort, apiToken, subscribes))) {
    if (Date.now() > limit || !child.isAlive()) {
      await stop();
      throw new Error(`the sidecar of ${appId} is not ready:\n${await readFile(logFile, 'utf8')}`);
    }
    await delay(25);
  }
  return { httpPort, grpcPort, internalPort, metricsPort, apiToken, pid: child.pid, sidecar, kill, stop };
}

const metadata = z.object({ subscriptions: z.array(z.unknown()).default([]) });

/** Whether it can call out and has subscribed to what its app told it. */
async function isReady(port: number, apiToken: string, subscribes: boolean): Promise<boolean> {
  const get = (path: string) =>
    fetch(`http://127.0.0.1:${port}${path}`, { headers: { 'dapr-api-token': apiToken } }).catch(() => undefined);
  const [health, told] = await Promise.all([get('/v1.0/healthz/outbound'), get('/v1.0/metadata')]);
  if (health?.status !== 204 || told?.status !== 200) return false;
  return !subscribes || metadata.parse(await told.json()).subscriptions.length > 0;
}
