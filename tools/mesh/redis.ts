import { once } from 'node:events';
import { mkdirSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { findRedis } from '../setup/locate.mjs';
import { createGroup, type Group, type GroupEvent } from './group.ts';
import type { Home } from './home.ts';
import { UserError } from './user-error.ts';

/** The mesh's Redis server. */
export interface Redis {
  readonly version: string;
  readonly group: Group;
  /** Sends one command as it is typed, without quoting, and gives the first line of the reply. */
  command(line: string): Promise<string>;
  /** The next start finds an empty folder. */
  wipeBeforeNextStart(): void;
}

/** The home's Redis, not started yet: own port, own folder, a password that is on no command line. */
export async function createRedis(options: {
  home: Home;
  port: number;
  password: string;
  onEvent: (event: GroupEvent) => void;
}): Promise<Redis> {
  const { home, port, password } = options;
  const program = findRedis();
  if (!program)
    throw new UserError('Redis 6 or later is needed, and none was found. `make up` installs it where there is apt.');
  makeFolder(home);
  const config = [
    'bind 127.0.0.1',
    `port ${port}`,
    `requirepass ${password}`,
    `dir "${home.redis}"`,
    'appendonly yes',
    'save ""',
    'daemonize no',
  ];
  await writeFile(home.redisConfig, `${config.join('\n')}\n`, { mode: 0o600 });
  let wipe = false;
  const command = (line: string) => ask(port, password, line);
  const farewell = { signal: 'SIGTERM', graceMs: 10_000 } as const;
  const group = createGroup({
    name: 'redis',
    onEvent: options.onEvent,
    probe: async () => (await command('PING')) === '+PONG',
    members: [
      {
        role: 'server',
        whenAnotherDies: farewell,
        whenStopped: farewell,
        spec: () => {
          if (wipe) rmSync(home.redis, { recursive: true, force: true });
          wipe = false;
          makeFolder(home);
          return {
            name: 'redis',
            command: program.path,
            args: [home.redisConfig],
            cwd: home.redis,
            env: { PATH: process.env['PATH'] },
            logFile: join(home.logs, 'redis.server.log'),
            // Redis rewrites its command line to its address.
            mark: 'redis-server',
            orphanSignal: 'SIGTERM',
          };
        },
      },
    ],
  });
  return { version: program.version, group, command, wipeBeforeNextStart: () => void (wipe = true) };
}

function makeFolder(home: Home): void {
  mkdirSync(home.redis, { recursive: true, mode: 0o700 });
}

/** One command over a connection of its own: three of them in a test run need no client library. */
async function ask(port: number, password: string, line: string): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port });
  const timer = setTimeout(() => socket.destroy(new Error('Redis did not answer')), 5_000);
  try {
    await once(socket, 'connect');
    socket.write(`AUTH ${password}\r\n${line}\r\n`);
    let reply = '';
    for await (const chunk of socket) {
      reply += String(chunk);
      const lines = reply.split('\r\n');
      if (lines[0]?.startsWith('-')) throw new Error(`Redis refused: ${lines[0]}`);
      if (lines.length > 2) return lines[1] ?? '';
    }
    throw new Error('Redis closed the connection');
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
}
