import { readFileSync, readdirSync, readlinkSync } from 'node:fs';

/** A process that can be recognised later: a pid alone may by then be somebody else's. */
export interface ProcessIdentity {
  readonly name: string;
  readonly pid: number;
  /** Clock ticks since the machine started; empty where there is no /proc. */
  readonly startTime: string;
  /** A part of its command line. */
  readonly command: string;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** The start time of a process that is there and not a zombie, else undefined. */
export function startTimeOf(pid: number): string | undefined {
  // The second field is a name in parentheses that may hold anything; what follows the last one starts with the state.
  const fields = read(`/proc/${pid}/stat`)
    ?.replace(/^.*\) /s, '')
    .split(' ');
  return fields?.[0] === 'Z' || fields?.[0] === 'X' ? undefined : fields?.[19];
}

/** The command line of a process in readable form, else undefined. */
export function commandOf(pid: number): string | undefined {
  return read(`/proc/${pid}/cmdline`)?.replaceAll('\0', ' ').trim() || undefined;
}

/** Whether this very process still runs: same pid, same start time, and still that command. */
export function isSameProcess(identity: ProcessIdentity): boolean {
  return (
    identity.startTime !== '' &&
    startTimeOf(identity.pid) === identity.startTime &&
    (commandOf(identity.pid) ?? '').includes(identity.command)
  );
}

const listening = '0A';

/** The socket inodes that listen on a TCP port, from the text of /proc/net/tcp or tcp6. */
export function listeningInodes(table: string, port: number): string[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return table
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[1]?.endsWith(suffix) && fields[3] === listening)
    .flatMap((fields) => (fields[9] === undefined ? [] : [fields[9]]));
}

/** A process that listens, and the folder it runs in. */
export interface Holder {
  readonly pid: number;
  readonly command: string;
  readonly folder: string;
}

/** Who listens on a TCP port, as far as this user may see it. */
export function holderOf(port: number): Holder | undefined {
  const inodes = ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((file) => listeningInodes(read(file) ?? '', port));
  const sockets = new Set(inodes.map((inode) => `socket:[${inode}]`));
  if (sockets.size === 0) return undefined;
  for (const pid of readdirSync('/proc').map(Number).filter(Boolean)) {
    try {
      const descriptors = readdirSync(`/proc/${pid}/fd`);
      if (descriptors.some((descriptor) => sockets.has(linkOf(`/proc/${pid}/fd/${descriptor}`)))) {
        return { pid, command: commandOf(pid) ?? '?', folder: linkOf(`/proc/${pid}/cwd`) };
      }
    } catch {
      // Another user's process, or one that has just ended.
    }
  }
  return undefined;
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
