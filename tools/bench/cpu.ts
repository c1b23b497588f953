import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';

/** What /proc/PID/stat says of a process; times are in clock ticks. */
export interface ProcessStat {
  readonly pid: number;
  readonly parent: number;
  /** utime + stime of the process itself, all its threads. */
  readonly own: number;
  /** The same of the children that have ended and that it has waited for. */
  readonly waitedFor: number;
}

/** Reads one line of /proc/PID/stat; the second field is a name in parentheses that may hold anything. */
export function parseStat(text: string): ProcessStat {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const number = (position: number) => Number(fields[position - 3]); // numbered as in proc(5)
  return {
    pid: Number.parseInt(text, 10),
    parent: number(4),
    own: number(14) + number(15),
    waitedFor: number(16) + number(17),
  };
}

let microsPerTick: number | undefined;

const toMicros = (ticks: number) =>
  ticks * (microsPerTick ??= 1e6 / Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' })));

function statOf(pid: number): ProcessStat | undefined {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return undefined;
  }
}

/** CPU time of one process so far, in microseconds; a process that has ended is an error, never a zero. */
export function cpuOf(pid: number): number {
  const stat = statOf(pid);
  if (!stat) throw new Error(`process ${pid} has ended`);
  return toMicros(stat.own);
}

/** CPU time so far of several processes, by name, in microseconds. */
export function cpuOfAll(pids: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(pids).map(([name, pid]) => [name, cpuOf(pid)]));
}

const allStats = (): ProcessStat[] =>
  readdirSync('/proc')
    .map(Number)
    .filter(Boolean)
    .flatMap((pid) => statOf(pid) ?? []);

/** CPU time so far of a process and of all its descendants, those included that have ended, in microseconds. */
export const cpuOfTree = (root: number): number =>
  toMicros(treeOf(allStats(), root).reduce((sum, { own, waitedFor }) => sum + own + waitedFor, 0));

/** A process and its descendants out of a list of all; fails without the process. */
export function treeOf(stats: readonly ProcessStat[], root: number): ProcessStat[] {
  const first = stats.find(({ pid }) => pid === root);
  if (!first) throw new Error(`process ${root} has ended`);
  const children = stats.filter(({ parent }) => parent === root);
  return [first, ...children.flatMap(({ pid }) => treeOf(stats, pid))];
}

/** Memory of one process in bytes, as PSS; undefined of one that has ended, or that is not ours to read. */
export function pssOf(pid: number): number | undefined {
  try {
    const kilobytes = /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1_024;
  } catch {
    return undefined;
  }
}

/** Memory of a process and all its descendants in bytes, as PSS; a descendant that has just ended has none. */
export function pssOfTree(root: number): number {
  return treeOf(allStats(), root).reduce((sum, { pid }) => {
    const pss = pssOf(pid);
    if (pss === undefined && pid === root) throw new Error(`the memory of process ${root} cannot be read`);
    return sum + (pss ?? 0);
  }, 0);
}

/** The machine's time so far, in clock ticks over all cores. */
export interface MachineTime {
  readonly total: number;
  readonly steal: number;
}

/** Reads the first line of /proc/stat; the last two of its ten fields are part of the first two. */
export function parseMachineTime(text: string): MachineTime {
  const fields = text.split('\n', 1).join('').trim().split(/\s+/).slice(1, 9).map(Number);
  return { total: fields.reduce((sum, ticks) => sum + ticks, 0), steal: fields[7] ?? 0 };
}

export const machineTime = (): MachineTime => parseMachineTime(readFileSync('/proc/stat', 'utf8'));

/** The share of the machine's time between two readings that the host gave to others. */
export const stealBetween = (from: MachineTime, to: MachineTime): number =>
  to.total === from.total ? 0 : (to.steal - from.steal) / (to.total - from.total);
