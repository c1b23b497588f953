import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import Docker from 'dockerode';
import { repository } from '../mesh/home.ts';
import { UserError } from '../mesh/user-error.ts';
import { findCompose, findDockerd } from '../setup/locate.mjs';

const defaultSocket = '/var/run/docker.sock';
const answerTimeoutMs = 5_000;
const startTimeoutMs = 30_000;
// It gives each container 10 s to end.
const stopTimeoutMs = 30_000;

/** A Docker engine that answers. */
export interface Engine {
  readonly docker: Docker;
  /** Whether it was started for this call. */
  readonly started: boolean;
  /** Ends the engine if it was started for this call, by its pid, and waits for its end; else does nothing. */
  stop(): Promise<void>;
}

/** What decides whether an engine can be started here. */
export interface Circumstances {
  readonly dockerHost: string | undefined;
  readonly platform: NodeJS.Platform;
  readonly root: boolean;
  readonly dockerd: string | undefined;
}

/** Why no engine can be started here and what to do about it, in one line, or undefined when one can be. */
export function obstacle({ dockerHost, platform, root, dockerd }: Circumstances): string | undefined {
  if (dockerHost) {
    return `no Docker engine answers at DOCKER_HOST=${dockerHost}: start that one, or unset DOCKER_HOST to use this machine's`;
  }
  const silent = `no Docker engine answers at ${defaultSocket}`;
  if (platform !== 'linux') return `${silent}: start Docker, or set DOCKER_HOST to where it listens`;
  if (!dockerd) return `${silent}, and dockerd is not installed: sh tools/setup/setup.sh containers`;
  if (!root) {
    return `${silent}, or it may not be used by you, and only root can start dockerd: sudo systemctl start docker, and be in the group docker`;
  }
  return undefined;
}

/** The last thing that dockerd complained of, without its log line's dress, or undefined. */
export function lastComplaint(log: string): string | undefined {
  const lines = log.split('\n').filter((line) => line.trim() !== '');
  const complaint = lines.findLast((line) => /level=(error|fatal)|^failed to/.test(line)) ?? lines.at(-1);
  const message = complaint && /msg="((?:[^"\\]|\\.)*)"/.exec(complaint)?.[1];
  return message?.replaceAll('\\"', '"') ?? complaint;
}

async function answers(): Promise<boolean> {
  try {
    await new Docker({ timeout: answerTimeoutMs }).ping();
    return true;
  } catch {
    return false;
  }
}

/** Starts dockerd in a process group of its own, so that it outlasts us; it chooses its storage itself. */
function startDockerd(path: string, logFile: string): ChildProcess {
  mkdirSync(dirname(logFile), { recursive: true });
  const log = openSync(logFile, 'w', 0o600);
  const child = spawn(path, [], {
    detached: true,
    stdio: ['ignore', log, log],
    // It looks for containerd, runc and iptables there.
    env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin` },
  });
  closeSync(log);
  child.unref();
  return child;
}

async function stop(child: ChildProcess, ended: () => string | undefined): Promise<void> {
  if (ended() !== undefined) return;
  child.kill('SIGTERM');
  for (const limit = Date.now() + stopTimeoutMs; ended() === undefined; await delay(50)) {
    if (Date.now() > limit) {
      throw new UserError(
        `dockerd (pid ${child.pid ?? 0}) does not end; it got SIGTERM ${stopTimeoutMs / 1_000} s ago`,
      );
    }
  }
}

/**
 * Finds a Docker engine that answers, by DOCKER_HOST or at its usual socket; where none does and this is root with dockerd
 * installed, starts one in the background, which stays until it is stopped. UserError when there is none and none can be started.
 */
export async function ensureEngine(logFile: string = join(repository, '.data', 'dockerd.log')): Promise<Engine> {
  const docker = new Docker();
  const found = { docker, started: false, stop: () => Promise.resolve() };
  if (await answers()) return found;

  const dockerd = findDockerd();
  const reason = obstacle({
    dockerHost: process.env['DOCKER_HOST'],
    platform: process.platform,
    root: process.getuid?.() === 0,
    dockerd: dockerd?.path,
  });
  if (reason !== undefined || !dockerd) throw new UserError(reason ?? 'dockerd is not installed');

  let end: string | undefined;
  const child = startDockerd(dockerd.path, logFile);
  child.once('error', (error) => (end = error.message));
  child.once('exit', (code, signal) => (end = signal ?? `exit code ${code ?? '?'}`));
  for (const limit = Date.now() + startTimeoutMs; ; await delay(100)) {
    const up = await answers();
    if (up && end === undefined) return { docker, started: true, stop: () => stop(child, () => end) };
    // Somebody else's start was faster than ours.
    if (up) return found;
    if (end === undefined && Date.now() < limit) continue;
    const how = end ?? `no answer in ${startTimeoutMs / 1_000} s`;
    if (end === undefined) await stop(child, () => end);
    const complaint = lastComplaint(readFileSync(logFile, 'utf8')) ?? 'it said nothing';
    throw new UserError(
      `no Docker engine answers at ${defaultSocket}, and dockerd could not be started (${how}): ${complaint} (${relative(process.cwd(), logFile)})`,
    );
  }
}

export interface ComposeOptions {
  readonly cwd?: string;
  /** Added to our own environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Shows the output instead of giving it back. */
  readonly show?: boolean;
  readonly signal?: AbortSignal;
}

/**
 * Runs Docker Compose, the machine's plugin or the program built by setup, and gives what it writes to its standard output.
 * UserError with the end of what it complained of when it fails, or when there is no Compose.
 */
export async function compose(args: readonly string[], options: ComposeOptions = {}): Promise<string> {
  const { exit, output, complaints } = await runCompose(args, options);
  if (exit === 0) return output;
  const tail = complaints.trim().split('\n').slice(-12).join('\n    ');
  throw new UserError(`docker compose ${args.join(' ')} failed (${exit})${tail ? `:\n    ${tail}` : ''}`);
}

/** The same, however it ends; UserError only when there is no Compose. */
export async function runCompose(args: readonly string[], options: ComposeOptions = {}) {
  const found = findCompose();
  if (!found) throw new UserError('there is no Docker Compose 2.30 or later: sh tools/setup/setup.sh containers');
  const { cwd = repository, env = {}, show = false, signal } = options;
  const child = spawn(found.path, [...found.args, ...args], {
    cwd,
    env: { ...process.env, ...env },
    stdio: show ? 'inherit' : ['ignore', 'pipe', 'pipe'],
    ...(signal && { signal }),
  });
  let output = '';
  let complaints = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (complaints += text));
  const exit = await new Promise<number | NodeJS.Signals>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, killed) => resolve(killed ?? code ?? 1));
  });
  return { exit, output, complaints };
}
