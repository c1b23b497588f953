import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import type { Home } from './home.ts';
import { isSameProcess, startTimeOf, type ProcessIdentity } from './process-table.ts';

const identity = z.object({ name: z.string(), pid: z.number(), startTime: z.string(), command: z.string() });
const state = z.object({ launcher: identity, processes: z.array(identity) });

/** What a launcher notes down about its processes, so that after its sudden end they can be told from others. */
export type MeshState = z.infer<typeof state>;

/** The noted state, or undefined where there is none. */
export function readState(home: Home): MeshState | undefined {
  try {
    return state.parse(JSON.parse(readFileSync(home.stateFile, 'utf8')));
  } catch {
    return undefined;
  }
}

/** Notes which processes this launcher has. */
export function writeState(home: Home, processes: readonly ProcessIdentity[]): void {
  const unfinished = `${home.stateFile}.tmp`;
  const launcher = { name: 'launcher', pid: process.pid, startTime: startTimeOf(process.pid) ?? '', command: '' };
  writeFileSync(unfinished, `${JSON.stringify({ launcher, processes }, undefined, 2)}\n`, { mode: 0o600 });
  renameSync(unfinished, home.stateFile);
}

/** Forgets the state: nothing of this home runs. */
export function clearState(home: Home): void {
  rmSync(home.stateFile, { force: true });
}

/** The processes of the state that still run, the launcher first if it does. */
export function livingProcesses(noted: MeshState): { launcher: boolean; processes: ProcessIdentity[] } {
  return { launcher: isSameProcess(noted.launcher), processes: noted.processes.filter(isSameProcess) };
}

/** Processes that an ended launcher has left behind in this home. */
export function leftovers(home: Home): ProcessIdentity[] {
  const noted = readState(home);
  if (!noted) return [];
  const living = livingProcesses(noted);
  return living.launcher ? [] : living.processes;
}
