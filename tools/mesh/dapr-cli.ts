import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { findDapr, findDaprd } from '../setup/locate.mjs';
import { askSupervisor } from './control.ts';
import { repository, type Home } from './home.ts';
import { appEnvironment, newTokens } from './pair.ts';
import { inheritedEnvironment } from './process.ts';
import { readRunFile, type RunApp } from './run-file.ts';
import { sidecarIdentity } from './sentry.ts';
import { runningMesh, startSupervisor } from './up.ts';
import { UserError } from './user-error.ts';

const runFile = join(repository, 'dapr-config', 'dapr.yaml');
const backing = 'PostgreSQL, Redis, Sentry and the bank';

/** Runs the dapr CLI in the foreground with our daprd; its exit code becomes ours, and so does what ends us become its. */
async function runCli(home: Home, args: readonly string[], env: Record<string, string> = {}): Promise<void> {
  const [dapr, daprd] = [findDapr(), findDaprd()];
  if (!dapr || !daprd)
    throw new UserError('the dapr CLI and daprd are needed, and not both were found. `make setup` builds them.');
  // The CLI looks for .dapr/bin/daprd below this folder, and nowhere else.
  const bin = join(home.data, 'runtime', '.dapr', 'bin');
  mkdirSync(bin, { recursive: true });
  rmSync(join(bin, 'daprd'), { force: true });
  symlinkSync(daprd.path, join(bin, 'daprd'));
  const child = spawn(dapr.path, args, {
    cwd: home.root,
    stdio: 'inherit',
    env: {
      ...inheritedEnvironment(),
      // The run file says `node`, and means the one that runs this.
      PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
      DAPR_RUNTIME_PATH: join(home.data, 'runtime'),
      DAPR_HOST_IP: '127.0.0.1',
      // That mTLS is on, and where Sentry is, the CLI reads out of the Configuration.
      ...(await sidecarIdentity(home)),
      ...newTokens(),
      ...env,
    },
  });
  // Ctrl-C goes to the terminal's process group, and the CLI makes one of its own for a run file: there it hears only us.
  const pass = (signal: NodeJS.Signals) => {
    if (signal !== 'SIGINT' || child.pid === groupOf(child.pid)) child.kill('SIGINT');
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, pass);
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (exit) => resolve(exit ?? 1));
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(signal, pass);
  process.exitCode = code;
}

/** The process group of a process, from /proc; undefined where there is none. */
function groupOf(pid: number | undefined): number | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ');
    return Number(fields?.[2]);
  } catch {
    return undefined;
  }
}

/** `make backing`: only what stands behind the services, for `dapr run`. */
export async function startBackingOnly(home: Home): Promise<void> {
  const running = await runningMesh(home);
  if (running && running.pairs.length > 0)
    throw new UserError('the whole mesh runs here already; `make down` stops it.');
  if (!running) await startSupervisor(home, { services: [] });
  process.stdout.write(`${backing} run. \`make down\` stops them.\n`);
}

/** `make dapr-run`: `dapr run -f` on the run file, with one pair of tokens for all apps. */
export async function daprRunAll(home: Home): Promise<void> {
  await startBackingOnly(home);
  await runCli(home, ['run', '-f', runFile]);
  process.stdout.write(`${backing} still run. \`make down\` stops them.\n`);
}

/** `make run service=…`: `dapr run` for one service, in place of the mesh's own replicas of it until it ends. */
export async function daprRunOne(home: Home, service: string | undefined): Promise<void> {
  const apps = await readRunFile(runFile);
  const app = apps.find(({ id }) => id === service);
  if (!app) throw new UserError(`say which: make run service=${apps.map(({ id }) => id).join('|')}`);
  const running = await runningMesh(home);
  if (!running) {
    process.stdout.write(`Nothing runs yet: starting ${backing} for it.\n`);
    await startSupervisor(home, { services: [] });
  }
  const replaces = running?.pairs.some((pair) => pair.service === app.id) ?? false;
  if (replaces) {
    process.stdout.write(`The mesh lends ${app.id} until this ends, and then starts its own again.\n`);
    await borrow(home, app.id);
  }
  await runCli(home, singleRunArguments(app), { ...appEnvironment(app, app.ports) });
}

/** Resolves once the mesh has stopped its own replicas; it starts them again when this process has ended. */
async function borrow(home: Home, service: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    askSupervisor(home, 'POST', `/release?service=${service}`, (line) => {
      if (line === 'released') resolve();
    }).then(() => reject(new UserError('the mesh has taken the service back')), reject);
  });
}

/** The command line of `dapr run` that does what the run file says for this app. */
export function singleRunArguments(app: RunApp): string[] {
  const flags: Record<string, string | number> = {
    'app-id': app.id,
    'app-protocol': app.protocol,
    'app-port': app.ports.app,
    'dapr-http-port': app.ports.http,
    'dapr-grpc-port': app.ports.grpc,
    'dapr-internal-grpc-port': app.ports.internal,
    'metrics-port': app.ports.metrics,
    'dapr-listen-addresses': app.listenAddresses,
    config: app.configFile,
    'placement-host-address': '',
    'scheduler-host-address': '',
  };
  return [
    'run',
    ...Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, String(value)]),
    ...app.resourcesPaths.flatMap((folder) => ['--resources-path', folder]),
    '--',
    ...app.command,
  ];
}
