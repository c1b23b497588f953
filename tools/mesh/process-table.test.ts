import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { holderOf, isSameProcess, listeningInodes, startTimeOf } from './process-table.ts';

const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 41234 1 0000 100 0 0 10 0
   1: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000     0        0 41235 1 0000 20 4 30 10 -1
   2: 0100007F:3039 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 41236 1 0000 100 0 0 10 0
`;

describe('listeningInodes', () => {
  it('when a port has a listener and connections, gives the listener only', () => {
    expect(listeningInodes(table, 8080)).toEqual(['41234']);
    expect(listeningInodes(table, 8081)).toEqual([]);
  });
});

describe('holderOf', () => {
  it('when this process listens, finds it', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
    expect(holderOf(port)).toMatchObject({ pid: process.pid, folder: process.cwd() });
    server.close();
  });
});

describe('isSameProcess', () => {
  it('when the process runs, recognises it by start time and command', async () => {
    const child = spawn('sleep', ['60']);
    const pid = child.pid ?? 0;
    const identity = { name: 'x', pid, startTime: startTimeOf(pid) ?? '', command: 'sleep' };
    expect(isSameProcess(identity)).toBe(true);
    expect(isSameProcess({ ...identity, command: 'daprd' })).toBe(false);
    // The same pid, given to another process later.
    expect(isSameProcess({ ...identity, startTime: '1' })).toBe(false);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(isSameProcess(identity)).toBe(false);
  });
});
