import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, existsSync, openSync, renameSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { startTimeOf, type ProcessIdentity } from './process-table.ts';

/** A program to run. Its output is appended to the log file. */
export interface ProcessSpec {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly logFile: string;
  /** What tells its command line from others'. */
  readonly mark: string;
  /** Whom it runs as, when we are root and it must not be. */
  readonly owner?: Owner | undefined;
  /** What it gets when this process dies without a goodbye. */
  readonly orphanSignal: 'SIGKILL' | 'SIGTERM' | 'SIGINT' | 'SIGQUIT';
}

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** How a process ended, in words: `exit code 1`, `SIGKILL`, or why it could not start. */
export type Exit = string;

/** A running or ended program. */
export interface Child {
  readonly name: string;
  readonly pid: number;
  readonly identity: ProcessIdentity;
  readonly exited: Promise<Exit>;
  isAlive(): boolean;
  signal(signal: NodeJS.Signals): void;
}

const setpriv = ['/usr/bin/setpriv', '/bin/setpriv'].find((path) => existsSync(path));
const living = new Set<ChildProcess>();

// Whatever ends this process, short of SIGKILL, takes its children along.
process.on('exit', () => {
  for (const child of living) child.kill('SIGKILL');
});

/** Starts a program. On Linux the kernel signals it when this process dies, even by SIGKILL. */
export function startProcess(spec: ProcessSpec): Child {
  const log = openSync(spec.logFile, 'a', 0o600);
  // setpriv sets that signal and becomes the program: the pid stays.
  const bound = setpriv ? [setpriv, '--pdeathsig', spec.orphanSignal.slice(3), '--', spec.command] : [spec.command];
  const [command = spec.command, ...before] = bound;
  const child = spawn(command, [...before, ...spec.args], {
    cwd: spec.cwd,
    env: spec.env,
    stdio: ['ignore', log, log],
    ...spec.owner,
  });
  closeSync(log);
  living.add(child);
  const exited = new Promise<Exit>((resolve) => {
    child.once('error', (error) => resolve(`could not start: ${error.message}`));
    child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code ?? '?'}`));
  });
  void exited.then(() => living.delete(child));
  const pid = child.pid ?? 0;
  return {
    name: spec.name,
    pid,
    identity: { name: spec.name, pid, startTime: startTimeOf(pid) ?? '', command: spec.mark },
    exited,
    isAlive: () => living.has(child) && startTimeOf(pid) !== undefined,
    signal: (signal) => void child.kill(signal),
  };
}

/** Sends the signal, waits for the end, and sends SIGKILL when it takes longer than that; an ended child is fine. */
export async function endProcess(child: Child, signal: NodeJS.Signals, graceMs: number): Promise<void> {
  child.signal(signal);
  const timer = new AbortController();
  const late = delay(graceMs, true, { signal: timer.signal }).catch(() => false);
  if (await Promise.race([child.exited.then(() => false), late])) child.signal('SIGKILL');
  timer.abort();
  await child.exited;
}

/** Moves the log of the run before aside, so that a log is one run's and never grows past two. */
export function rotateLog(path: string): void {
  if (existsSync(path)) renameSync(path, `${path}.old`);
}

const notForChildren = /^(VITEST|NODE_ENV$|NODE_OPTIONS$|TEST_|npm_|MAKE|MFLAGS$|NODE_CHANNEL|NODE_UNIQUE_ID$)/;

/** What children inherit of this process's environment: nothing of test runners, npm or make. */
export function inheritedEnvironment(): Record<string, string> {
  const entries = Object.entries(process.env).filter(([name]) => !notForChildren.test(name));
  return Object.fromEntries(entries.map(([name, value]) => [name, value ?? '']));
}
