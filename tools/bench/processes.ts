import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createGroup, type Group } from '../mesh/group.ts';
import { homeAt, makeTemporaryHome, repository } from '../mesh/home.ts';
import { requireFreePorts } from '../mesh/ports.ts';
import { statusOf } from '../mesh/probe.ts';
import { inheritedEnvironment } from '../mesh/process.ts';
import { waitUntilReady } from '../mesh/wait.ts';
import { portsOf, type BenchApp } from './mesh.ts';

/** Bench apps without sidecars, each a process of its own, all ready. */
export interface Processes {
  pid(id: string): number;
  /** The port that the app of that name listens on. */
  port(id: string): number;
  stop(): Promise<void>;
}

const farewell = { signal: 'SIGKILL', graceMs: 0 } as const;

/** Starts apps of a bench without sidecars; their output goes to files, as a mesh's does. */
export async function startProcesses(
  apps: readonly (Omit<BenchApp, 'database'> & { index: number })[],
): Promise<Processes> {
  await requireFreePorts(
    apps.flatMap(({ id, index }) => [portsOf(index).app, portsOf(index).ops].map((port) => ({ port, wantedBy: id }))),
  );
  const folder = await makeTemporaryHome();
  const groups = new Map(apps.map((app) => [app.id, groupOf(app, homeAt(folder).logs)]));
  const stop = async () => {
    await Promise.all([...groups.values()].map((group) => group.stop()));
    await rm(folder, { recursive: true, force: true });
  };
  for (const group of groups.values()) group.start();
  try {
    await waitUntilReady([...groups.values()], { timeoutMs: 120_000 });
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    pid(id) {
      const child = groups.get(id)?.child('app');
      if (!child?.isAlive()) throw new Error(`${id} does not run`);
      return child.pid;
    },
    port(id) {
      const app = apps.find((one) => one.id === id);
      if (!app) throw new Error(`there is no ${id}`);
      return portsOf(app.index).app;
    },
    stop,
  };
}

function groupOf({ id, script, env = {}, index }: BenchApp & { index: number }, logs: string): Group {
  const ports = portsOf(index);
  const spec = () => ({
    name: id,
    command: process.execPath,
    args: [`tools/bench/apps/${script}`],
    cwd: repository,
    env: {
      ...inheritedEnvironment(),
      NODE_COMPILE_CACHE: join(repository, '.data/compile-cache'),
      DAPR_HTTP_PORT: String(ports.http),
      DAPR_GRPC_PORT: String(ports.grpc),
      DAPR_API_TOKEN: 'bench',
      APP_API_TOKEN: 'bench',
      ...env,
      APP_ID: id,
      APP_PORT: String(ports.app),
      OPS_PORT: String(ports.ops),
    },
    logFile: join(logs, `${id}.log`),
    mark: script,
    orphanSignal: 'SIGKILL' as const,
  });
  return createGroup({
    name: id,
    onEvent: () => undefined,
    probe: async () => (await statusOf(ports.ops, '/healthz/ready')) === 200,
    members: [{ role: 'app', spec, whenAnotherDies: farewell, whenStopped: farewell }],
  });
}
