import type { Home } from './home.ts';
import { isPairReady } from './probe.ts';
import { leftovers } from './state.ts';
import { describeMesh } from './summary.ts';
import { UserError } from './user-error.ts';
import { runningMesh } from './up.ts';

/** `make status`: what runs, each pair asked whether it is ready; as JSON for programs. */
export async function status(home: Home, json: boolean): Promise<void> {
  const running = await runningMesh(home);
  if (!running) {
    const stale = leftovers(home);
    if (stale.length > 0) {
      throw new UserError(`an earlier run has left ${stale.length} processes behind. \`make down\` ends them.`);
    }
    process.stdout.write(json ? '{"running":false}\n' : 'Nothing runs. `make up` starts the mesh.\n');
    return;
  }
  const ready = await Promise.all(running.pairs.map(({ ports }) => isPairReady(ports).catch(() => false)));
  const readiness = Object.fromEntries(running.pairs.map(({ name }, index) => [name, ready[index] === true]));
  if (json) {
    const pairs = running.pairs.map((pair) => ({ ...pair, ready: readiness[pair.name] === true }));
    process.stdout.write(`${JSON.stringify({ running: true, ...running, pairs }, undefined, 2)}\n`);
    return;
  }
  const what = running.pairs.length > 0 ? running.gatewayUrl : 'only what stands behind the services (make backing)';
  process.stdout.write(`${describeMesh(running, readiness)}\n\n  ${what}, up since ${running.since}\n`);
}
