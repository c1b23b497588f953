import { execFileSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { UserError } from '../mesh/user-error.ts';

const places = { generator: '0', underTest: '1' };

/** Where processes may run: the load generator's core, the core of everything under test, or any. */
export type Place = keyof typeof places | 'anywhere';

/** The cores of a place, as taskset wants them. */
export const coresOf = (place: Place): string =>
  place === 'anywhere' ? Object.values(places).join(',') : places[place];

/** Fails where the generator and what it measures would share the only core. */
export function requireTwoCores(): void {
  if (availableParallelism() < 2)
    throw new UserError('the benches need two cores: one for the load, one for what is measured');
}

/** Moves running processes with all their threads, and those they start later; a process that has just ended is passed over. */
export function moveTo(place: Place, pids: Iterable<number>): void {
  const cores = coresOf(place);
  for (const pid of pids) {
    try {
      execFileSync('taskset', ['--all-tasks', '--cpu-list', '--pid', cores, String(pid)], { stdio: 'pipe' });
    } catch (error) {
      if (!/No such process|failed to get pid/.test(String(error))) throw error;
    }
  }
}
