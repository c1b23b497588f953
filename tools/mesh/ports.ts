import { createServer } from 'node:net';
import { holderOf, type Holder } from './process-table.ts';
import { UserError } from './user-error.ts';

/** A loopback port and what needs it. */
export interface WantedPort {
  readonly port: number;
  readonly wantedBy: string;
}

/** Whether nothing listens on this loopback port. */
export async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

export interface BusyPort extends WantedPort {
  readonly holder: Holder | undefined;
}

/** One line for each port that is taken, or one for all when it is many: then another mesh has them. */
export function describeBusyPorts(busy: readonly BusyPort[]): string {
  const lines = busy.map(({ port, wantedBy, holder }) => {
    const start = `port ${port}, wanted by ${wantedBy}, is held by`;
    return holder
      ? `${start} pid ${holder.pid}: ${holder.command.slice(0, 100)}. Stop it (kill ${holder.pid}) and try again.`
      : `${start} a process that is not ours to see. Find it with: sudo ss -ltnp 'sport = :${port}'`;
  });
  if (lines.length <= 3) return lines.join('\n');
  const folder = busy.find(({ holder }) => holder?.command.includes('daprd'))?.holder?.folder;
  return folder === undefined
    ? `${lines[0]} (And ${lines.length - 1} more ports.)`
    : `another mesh runs in ${folder} and has ${lines.length} ports that this one needs. Stop it there with \`make down\` and try again.`;
}

/** Fails with what to do when a port is taken. */
export async function requireFreePorts(wanted: readonly WantedPort[]): Promise<void> {
  const checked = await Promise.all(wanted.map(async (one) => ({ one, free: await isFree(one.port) })));
  const busy = checked.filter(({ free }) => !free).map(({ one }) => ({ ...one, holder: holderOf(one.port) }));
  if (busy.length > 0) throw new UserError(describeBusyPorts(busy));
}
