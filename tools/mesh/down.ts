import { setTimeout as delay } from 'node:timers/promises';
import { askStatus, askSupervisor } from './control.ts';
import { dropData } from './drop-data.ts';
import type { Home } from './home.ts';
import { isSameProcess, type ProcessIdentity } from './process-table.ts';
import { clearState, leftovers, livingProcesses, readState } from './state.ts';
import { duration } from './terminal.ts';
import { UserError } from './user-error.ts';

const say = (line: string) => void process.stdout.write(`${line}\n`);

/** Resolves to the processes that still run when the time is over. */
async function waitForEnd(processes: readonly ProcessIdentity[], limitMs: number): Promise<ProcessIdentity[]> {
  const limit = Date.now() + limitMs;
  let alive = processes.filter(isSameProcess);
  while (alive.length > 0 && Date.now() < limit) {
    await delay(50);
    alive = alive.filter(isSameProcess);
  }
  return alive;
}

const lastGroup = (name: string) => (['postgres', 'redis', 'sentry'].includes(name) ? 1 : 0);

/** Ends what a launcher has left behind when it died: services first, then their servers; what does not listen is killed. */
async function endLeftovers(processes: readonly ProcessIdentity[]): Promise<void> {
  for (const turn of [0, 1]) {
    const mine = processes.filter(({ name }) => lastGroup(name) === turn);
    for (const { name, pid } of mine) {
      say(`  ending ${name} (pid ${pid}), left by an earlier run`);
      // A sidecar alone only burns deliveries.
      process.kill(pid, name.endsWith(' sidecar') ? 'SIGKILL' : name === 'postgres' ? 'SIGINT' : 'SIGTERM');
    }
    for (const { pid } of await waitForEnd(mine, 10_000)) process.kill(pid, 'SIGKILL');
    const stubborn = await waitForEnd(mine, 5_000);
    if (stubborn.length > 0) throw new UserError(`still there: ${stubborn.map(({ pid }) => `pid ${pid}`).join(', ')}`);
  }
}

/** `make down`: stops the mesh in order, or ends what an earlier run has left. The data stays. */
export async function down(home: Home): Promise<void> {
  const started = Date.now();
  const noted = readState(home);
  if (await askStatus(home)) {
    const said = await askSupervisor(home, 'POST', '/stop', (line) => say(`  ${line}`));
    if (noted) await waitForEnd([noted.launcher], 5_000);
    if (said.includes('failed: ')) throw new UserError('the mesh did not stop cleanly; see .data/logs/mesh.log');
  } else if (noted && livingProcesses(noted).launcher) {
    say(`  asking the launcher (pid ${noted.launcher.pid}) to stop`);
    process.kill(noted.launcher.pid, 'SIGTERM');
    if ((await waitForEnd([noted.launcher], 30_000)).length > 0)
      throw new UserError(`the launcher does not stop. kill -9 ${noted.launcher.pid}, then \`make down\` again.`);
  }
  const stale = leftovers(home);
  if (stale.length > 0) await endLeftovers(stale);
  clearState(home);
  say(noted ? `The mesh is stopped (${duration(Date.now() - started)}). The data is kept in .data.` : 'Nothing runs.');
}

/** `make reset`: stops the mesh and drops its data. */
export async function reset(home: Home): Promise<void> {
  await down(home);
  const gone = await dropData(home.root);
  say(`Dropped: ${gone.join(', ')}. Kept: secrets and logs. \`make up\` starts with the seed data.`);
}
