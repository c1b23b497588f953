import { z } from 'zod';
import { styled } from './terminal.ts';

const line = z.looseObject({
  time: z.union([z.number(), z.string()]).optional(),
  level: z.union([z.number(), z.string()]).optional(),
  msg: z.string().optional(),
});

// The same on every line, or said elsewhere on it.
const omitted = [
  'time',
  'level',
  'msg',
  'pid',
  'hostname',
  'service',
  'name',
  'v',
  'app_id',
  'instance',
  'ver',
  'type',
  'scope',
];

const levelNames: Readonly<Record<number, string>> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal',
};

/** One line of an app's or a sidecar's JSON log for people; any other line as it is. */
export function renderLogLine(source: string, text: string): string {
  const parsed = parse(text);
  if (!parsed) return `${styled('dim', source)} ${text}`;
  const { time, level, msg = '' } = parsed;
  const clock = time === undefined ? '' : new Date(time).toISOString().slice(11, 23);
  const name = (typeof level === 'number' ? (levelNames[level] ?? String(level)) : (level ?? '')).replace(
    'warning',
    'warn',
  );
  const fields = Object.entries(parsed)
    .filter(([key, value]) => !omitted.includes(key) && value !== '' && value !== undefined)
    .map(([key, value]) => `${styled('dim', `${key}=`)}${typeof value === 'string' ? value : JSON.stringify(value)}`);
  const severe = /^(err|fat)/.test(name) ? 'red' : name.startsWith('war') ? 'yellow' : 'reset';
  return [clock, styled(severe, name.padEnd(5)), styled('dim', source), msg, ...fields].filter(Boolean).join(' ');
}

function parse(text: string): z.infer<typeof line> | undefined {
  if (!text.startsWith('{')) return undefined;
  try {
    return line.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
