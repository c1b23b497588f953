import { createServer } from 'node:net';
import { holderOf } from './process-table.ts';
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

/** One line for a port that is taken: who wanted it, who has it, what to do. */
export function describeBusyPort(wanted: WantedPort, holder: { pid: number; command: string } | undefined): string {
  const who = holder
    ? `held by pid ${holder.pid}: ${holder.command.slice(0, 100)}`
    : 'held by a process that is not ours to see';
  const remedy = holder
    ? `Stop it (kill ${holder.pid}) and try again.`
    : `Find it with: sudo ss -ltnp 'sport = :${wanted.port}'`;
  return `port ${wanted.port}, wanted by ${wanted.wantedBy}, is ${who}. ${remedy}`;
}

/** Fails with a line for each port that is taken. */
export async function requireFreePorts(wanted: readonly WantedPort[]): Promise<void> {
  const checked = await Promise.all(wanted.map(async (one) => ({ one, free: await isFree(one.port) })));
  const lines = checked.filter(({ free }) => !free).map(({ one }) => describeBusyPort(one, holderOf(one.port)));
  if (lines.length > 0) throw new UserError(lines.join('\n'));
}
