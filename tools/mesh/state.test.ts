import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { homeAt, prepareHome, type Home } from './home.ts';
import { startTimeOf } from './process-table.ts';
import { clearState, leftovers, readState, writeState } from './state.ts';

let home: Home;
beforeEach(async () => {
  home = homeAt(await mkdtemp(join(tmpdir(), 'sidecart-state-')));
  await prepareHome(home);
});
afterEach(() => rm(home.root, { recursive: true }));

describe('leftovers', () => {
  it('when the launcher is gone and a process of it is not, finds that process', async () => {
    const child = spawn('sleep', ['60']);
    const pid = child.pid ?? 0;
    const survivor = { name: 'orders-0 app', pid, startTime: startTimeOf(pid) ?? '', command: 'sleep' };
    const reused = { ...survivor, name: 'orders-0 sidecar', startTime: '1' };
    const launcher = { name: 'launcher', pid, startTime: '1', command: '' };
    await writeFile(home.stateFile, JSON.stringify({ launcher, processes: [survivor, reused] }));
    expect(leftovers(home)).toEqual([survivor]);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(leftovers(home)).toEqual([]);
  });

  it('when the launcher lives, leaves its processes to it', () => {
    const self = { name: 'orders-0 app', pid: process.pid, startTime: startTimeOf(process.pid) ?? '', command: '' };
    writeState(home, [self]);
    expect(readState(home)?.processes).toEqual([self]);
    expect(leftovers(home)).toEqual([]);
  });

  it('when nothing was noted, or something unreadable, there are none', async () => {
    expect(leftovers(home)).toEqual([]);
    await writeFile(home.stateFile, '{');
    expect(leftovers(home)).toEqual([]);
    clearState(home);
    expect(readState(home)).toBeUndefined();
  });
});
