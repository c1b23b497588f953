// One line a step: nothing for what is quick, the elapsed seconds while it lasts, the reason and the log when it fails.
import { spawn } from 'node:child_process';
import { appendFileSync, closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { dirname, relative } from 'node:path';
import process from 'node:process';
import { clearInterval, setInterval } from 'node:timers';

export const logFile = '.data/logs/setup.log';

const terminal = process.stdout.isTTY === true;
const seconds = (since) => {
  const total = Math.round((Date.now() - since) / 1_000);
  return total < 100 ? `${total} s` : `${Math.floor(total / 60)} min ${total % 60} s`;
};

/** Says one line. */
export function say(line) {
  process.stdout.write(`${line}\n`);
}

/** Runs a step: shows the seconds in place on a terminal, else a line every 30 seconds; `detail` adds how far it is. */
export async function task(label, work, detail = () => '') {
  const started = Date.now();
  const text = () => [`  ${label}`, seconds(started), detail()].filter(Boolean).join(', ');
  if (!terminal) say(`  ${label} …`);
  const show = () => (terminal ? process.stdout.write(`\r\x1b[K${text()}`) : say(text()));
  const timer = setInterval(show, terminal ? 500 : 30_000);
  try {
    return await work();
  } finally {
    clearInterval(timer);
    if (terminal) process.stdout.write('\r\x1b[K');
    say(`  ${label}: ${seconds(started)}`);
  }
}

/** Runs a program with its output in the log, each line also given to `onLine`; fails with the end of that output. */
export async function run(command, args, { onLine = () => {}, ...options } = {}) {
  mkdirSync(dirname(logFile), { recursive: true });
  appendFileSync(logFile, `\n$ ${command} ${args.join(' ')}\n`);
  const begin = readFileSync(logFile).length;
  const log = openSync(logFile, 'a');
  const child = spawn(command, args, { ...options, stdio: ['inherit', 'pipe', 'pipe'] });
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      appendFileSync(log, chunk);
      for (const line of String(chunk).split('\n').filter(Boolean)) onLine(line);
    });
  }
  const code = await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  closeSync(log);
  if (code === 0) return;
  const tail = readFileSync(logFile).subarray(begin).toString().trim().split('\n').slice(-12);
  const where = relative(process.cwd(), logFile);
  throw new Error(
    `${command} ${args[0] ?? ''} failed (${code}); its output is in ${where} and ends with:\n    ${tail.join('\n    ')}`,
  );
}
