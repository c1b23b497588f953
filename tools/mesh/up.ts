import { fork } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { askStatus, type MeshStatus } from './control.ts';
import { placeDemoOrders } from './demo.ts';
import { prepareHome, type Home } from './home.ts';
import { rotateLog } from './process.ts';
import { readSecrets } from './secrets.ts';
import { livingProcesses, readState } from './state.ts';
import { describeRunning } from './summary.ts';
import type { SupervisorMessage } from './starter.ts';
import { createProgressView, styled } from './terminal.ts';
import { UserError } from './user-error.ts';

/** What runs in this home; fails when a launcher lives there that does not answer. */
export async function runningMesh(home: Home): Promise<MeshStatus | undefined> {
  const status = await askStatus(home);
  if (status) return status;
  const noted = readState(home);
  if (noted && livingProcesses(noted).launcher) {
    const { pid } = noted.launcher;
    throw new UserError(
      `a launcher (pid ${pid}) has this mesh and does not answer, perhaps because it is still starting or stopping it. Wait, or: kill ${pid}`,
    );
  }
  return undefined;
}

/** Starts a supervisor in the background and shows its progress until all is ready. Ctrl-C ends what was started. */
export async function startSupervisor(
  home: Home,
  options: { replicas?: Record<string, number>; services?: string[] },
): Promise<MeshStatus> {
  await prepareHome(home);
  const logFile = join(home.logs, 'mesh.log');
  rotateLog(logFile);
  const log = openSync(logFile, 'a', 0o600);
  const told = JSON.stringify({ home: home.root, replicas: options.replicas ?? {}, services: options.services });
  const child = fork(join(import.meta.dirname, 'supervisor.ts'), [told], {
    cwd: home.root,
    detached: true,
    stdio: ['ignore', log, log, 'ipc'],
  });
  closeSync(log);
  const view = createProgressView();
  let interrupted = false;
  const interrupt = () => {
    interrupted = true;
    process.stdout.write('\n  interrupted: ending what was started …\n');
    child.disconnect();
  };
  process.once('SIGINT', interrupt);
  try {
    await new Promise<void>((resolve, reject) => {
      child.on('message', (message: SupervisorMessage) => {
        if (message.kind === 'progress') view.show(message.progress);
        else if (message.kind === 'ready') resolve();
        else reject(new UserError(message.message));
      });
      child.once('exit', (code) =>
        reject(
          new UserError(
            interrupted
              ? 'Nothing runs.'
              : `the mesh did not start (exit code ${code ?? '?'}); see .data/logs/mesh.log`,
          ),
        ),
      );
    });
  } finally {
    view.close();
    process.removeListener('SIGINT', interrupt);
  }
  child.removeAllListeners('exit');
  child.disconnect();
  child.unref();
  const status = await askStatus(home);
  if (!status) throw new UserError('the mesh started and does not answer; see .data/logs/mesh.log');
  return status;
}

/** `make up`: starts the mesh unless it runs, shows a few orders on their way, and says what there is. */
export async function up(home: Home, replicas: Record<string, number>): Promise<void> {
  const running = await runningMesh(home);
  if (running?.pairs.length === 0) {
    throw new UserError(
      'only PostgreSQL, Redis, Sentry and the bank run here (`make backing`). Stop them with `make down`, then try again.',
    );
  }
  if (running) {
    process.stdout.write(`${describeRunning(running)}\n`);
    return;
  }
  process.stdout.write(`${styled('bold', 'Starting the mesh')}\n`);
  const status = await startSupervisor(home, { replicas });
  process.stdout.write(`\n${styled('bold', 'A few orders on their way')}\n`);
  const secrets = (await readSecrets(home.secretsFile)) ?? {};
  const surprises = await placeDemoOrders(status.gatewayUrl, secrets).catch((error: unknown) => [
    `the orders could not be placed: ${error instanceof Error ? error.message : '?'}`,
  ]);
  for (const surprise of surprises) process.stderr.write(`\n${styled('red', surprise)}\n`);
  if (surprises.length > 0) process.exitCode = 1;
  process.stdout.write(`\n${describeRunning(status)}\n`);
}
