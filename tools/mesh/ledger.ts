import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Group, GroupEvent } from './group.ts';
import type { Home } from './home.ts';
import { rotateLog } from './process.ts';
import type { ProcessIdentity } from './process-table.ts';
import type { Progress } from './progress.ts';
import { leftovers, writeState } from './state.ts';
import { UserError } from './user-error.ts';

/** Keeps the home's state file true while groups come and go, and tells what happens to them. */
export interface Ledger {
  add(group: Group): void;
  groups(): Group[];
  /** The event handler for a group of that name. */
  watch(name: string): (event: GroupEvent) => void;
  /** Every process that was ever started. */
  everStarted(): ProcessIdentity[];
}

/** Fails in a home where processes of an earlier run still live. */
export function refuseLeftovers(home: Home): void {
  const stale = leftovers(home);
  if (stale.length === 0) return;
  const list = stale.map(({ name, pid }) => `${name} (pid ${pid})`).join(', ');
  throw new UserError(`processes of an earlier run are still there: ${list}. \`make down\` ends them.`);
}

/** An empty ledger; from now on the home is this process's. Sets the logs of the run before aside. */
export function openLedger(home: Home, report: (progress: Progress) => void): Ledger {
  for (const file of readdirSync(home.logs)) {
    if (/\.(app|sidecar|server)\.log$/.test(file)) rotateLog(join(home.logs, file));
  }
  writeState(home, []);
  const groups: Group[] = [];
  const seen = new Map<string, ProcessIdentity>();
  const children = () => groups.flatMap((group) => group.children());
  return {
    add: (group) => void groups.push(group),
    groups: () => [...groups],
    watch: (name) => (event) => {
      for (const { identity } of children()) seen.set(`${identity.pid} ${identity.startTime}`, identity);
      const alive = children().filter((child) => child.isAlive());
      writeState(
        home,
        alive.map(({ identity }) => identity),
      );
      const text = describe(name, event);
      if (text) report({ kind: 'event', text });
    },
    everStarted: () => [...seen.values()],
  };
}

function describe(name: string, event: GroupEvent): string | undefined {
  if (event.kind === 'died') return `${name}: ${event.role} (pid ${event.pid}) has ended: ${event.exit}`;
  if (event.kind === 'waiting') return `${name}: starting again in ${event.delayMs} ms`;
  if (event.kind === 'ready') return `${name}: ready after ${event.afterMs} ms`;
  return undefined;
}
