import { closeSync, existsSync, openSync, readSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Home } from './home.ts';
import { renderLogLine } from './log-line.ts';
import { UserError } from './user-error.ts';

const backlogBytes = 16_384;

interface Tail {
  readonly source: string;
  readonly path: string;
  position: number;
  rest: string;
}

/** The whole lines that a file has gained; a file that was begun anew is read from its start. */
function newLines(tail: Tail): string[] {
  if (!existsSync(tail.path)) return [];
  const { size } = statSync(tail.path);
  if (size < tail.position) Object.assign(tail, { position: 0, rest: '' });
  if (size === tail.position) return [];
  const buffer = Buffer.alloc(size - tail.position);
  const file = openSync(tail.path, 'r');
  const read = readSync(file, buffer, 0, buffer.length, tail.position);
  closeSync(file);
  tail.position += read;
  const lines = (tail.rest + buffer.toString('utf8', 0, read)).split('\n');
  tail.rest = lines.pop() ?? '';
  return lines.filter(Boolean);
}

/** `make logs`: the last lines of what a service and its sidecars said (or all of them), and then what they say. */
export async function logs(home: Home, options: { service: string | undefined; follow: boolean }): Promise<void> {
  const { service, follow } = options;
  const files = existsSync(home.logs) ? readdirSync(home.logs).filter((file) => file.endsWith('.log')) : [];
  const wanted = files.filter((file) => service === undefined || new RegExp(`^${service}(-\\d)?\\.`).test(file));
  if (wanted.length === 0) {
    const known = [...new Set(files.map((file) => file.replace(/(-\d)?\..*$/, '')))].join(', ');
    throw new UserError(
      known ? `no logs of ${service}; there are ${known}` : 'no logs yet. `make up` starts the mesh.',
    );
  }
  const width = Math.max(...wanted.map((file) => file.length - '.log'.length));
  const tails = wanted.map((file) => {
    const path = join(home.logs, file);
    const position = Math.max(0, statSync(path).size - backlogBytes);
    return { source: file.replace(/\.log$/, '').padEnd(width), path, position, rest: '' };
  });
  let first = true;
  do {
    for (const tail of tails) {
      // The backlog begins in the middle of a line.
      const lines = newLines(tail).slice(first && tail.position > backlogBytes ? 1 : 0);
      for (const line of lines) process.stdout.write(`${renderLogLine(tail.source, line)}\n`);
    }
    first = false;
    if (follow) await delay(200);
  } while (follow);
}
