import { existsSync, rmSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createGroup, type Group, type GroupEvent, type Member } from './group.ts';
import { waitUntilReady } from './wait.ts';

let folder: string;
let events: GroupEvent[];
let group: Group;

/** A shell that runs until it is ended, and notes when it was asked to. */
const member = (
  role: string,
  farewell: Member['whenAnotherDies'],
  script = 'while :; do sleep 0.05; done',
): Member => ({
  role,
  whenAnotherDies: farewell,
  whenStopped: { signal: 'SIGTERM', graceMs: 2_000 },
  spec: () => {
    rmSync(join(folder, `${role}.up`), { force: true });
    return {
      name: role,
      command: '/bin/sh',
      args: ['-c', `trap 'echo ${role} >> ended; exit 0' TERM; : > ${role}.up; ${script}`],
      cwd: folder,
      env: { PATH: process.env['PATH'] },
      logFile: join(folder, 'group.log'),
      mark: 'sh',
      orphanSignal: 'SIGKILL',
    };
  },
});

/** Whether each has set its trap: a signal before that ends a shell without a word. */
const areUp = (members: readonly Member[]) => members.every(({ role }) => existsSync(join(folder, `${role}.up`)));
const make = (members: Member[], probe = async () => areUp(members)) =>
  createGroup({ name: 'pair', members, probe, onEvent: (event) => events.push(event) });
const ended = () => readFile(join(folder, 'ended'), 'utf8').catch(() => '');
const ready = (limit = 30_000) => waitUntilReady([group], { timeoutMs: limit });

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sidecart-group-'));
  events = [];
});
afterEach(async () => {
  await group.stop();
  await rm(folder, { recursive: true });
});

describe('a group', () => {
  it('when one member dies, ends the other in its way and starts both again', async () => {
    group = make([
      member('sidecar', { signal: 'SIGKILL', graceMs: 0 }),
      member('app', { signal: 'SIGTERM', graceMs: 2_000 }),
    ]);
    group.start();
    await ready();
    const before = group.children().map(({ pid }) => pid);
    group.signal('sidecar', 'SIGKILL');
    await ready();
    expect(group.restarts).toBe(1);
    const after = group.children().map(({ pid }) => pid);
    expect(after.some((pid) => before.includes(pid))).toBe(false);
    expect(await ended()).toBe('app\n');
    group.signal('app', 'SIGKILL');
    await ready();
    // The sidecar had no chance to say goodbye.
    expect(await ended()).toBe('app\n');
    expect(events.filter(({ kind }) => kind === 'died')).toMatchObject([
      { role: 'sidecar', exit: 'SIGKILL' },
      { role: 'app', exit: 'SIGKILL' },
    ]);
  });

  it('when stopped, ends the members one after another in order', async () => {
    group = make([
      member('sidecar', { signal: 'SIGKILL', graceMs: 0 }),
      member('app', { signal: 'SIGTERM', graceMs: 2_000 }),
    ]);
    group.start();
    await ready();
    await group.stop();
    expect(await ended()).toBe('sidecar\napp\n');
    expect(group.children()).toEqual([]);
    group.start();
    await ready();
  });

  it('when a member ignores its farewell, is killed after the grace', async () => {
    const deaf: Member = {
      ...member('app', { signal: 'SIGTERM', graceMs: 100 }),
      whenStopped: { signal: 'SIGHUP', graceMs: 100 },
    };
    group = make([
      {
        ...deaf,
        spec: () => ({ ...deaf.spec(), args: ['-c', `trap '' HUP; : > app.up; while :; do sleep 0.05; done`] }),
      },
    ]);
    group.start();
    await ready();
    await group.stop();
    expect(group.running).toBe(false);
  });

  it('when told to die, is not ready from that moment on', async () => {
    group = make([member('app', { signal: 'SIGTERM', graceMs: 100 })]);
    group.start();
    await ready();
    group.signal('app', 'SIGKILL');
    expect(await group.isReady()).toBe(false);
    await ready();
    expect(group.restarts).toBe(1);
  });

  it('when it never becomes ready, counts its failures and waits longer each time', async () => {
    group = make([member('app', { signal: 'SIGTERM', graceMs: 100 }, 'exit 3')], async () => false);
    group.start();
    const giveUp = () => (group.failures >= 2 ? new Error('hopeless') : undefined);
    await expect(waitUntilReady([group], { timeoutMs: 5_000, giveUp })).rejects.toThrow('hopeless');
    expect(events.find(({ kind }) => kind === 'died')).toMatchObject({ exit: 'exit code 3' });
    await group.stop();
    expect(events.filter(({ kind }) => kind === 'waiting')).toMatchObject([{ delayMs: 250 }, { delayMs: 500 }]);
  });
});
