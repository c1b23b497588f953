import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { cpuOfAll } from './cpu.ts';
import { VoidRound, measuredSeconds, warmUpSeconds } from './rounds.ts';

const progress = z.object({ done: z.number(), failed: z.number(), failure: z.string() });

async function ask(port: number, path: string) {
  const response = await fetch(`http://127.0.0.1:${port}/${path}`);
  return progress.parse(await response.json());
}

/** Figures of a turn from two readings: requests, CPU microseconds per request in all, and by process as `cpu.<name>`. */
export function cpuFigures(
  from: { done: number; cpu: Readonly<Record<string, number>> },
  to: { done: number; cpu: Readonly<Record<string, number>> },
): Record<string, number> {
  const requests = to.done - from.done;
  if (requests <= 0) throw new VoidRound('no request was answered');
  const parts = Object.entries(to.cpu).map(
    ([name, cpu]) => [`cpu.${name}`, (cpu - (from.cpu[name] ?? 0)) / requests] as const,
  );
  return { requests, cpu: parts.reduce((sum, [, cpu]) => sum + cpu, 0), ...Object.fromEntries(parts) };
}

/**
 * One turn of a closed loop, whose process answers on `port` (apps/closed-loop.ts): warm-up, then the CPU time that the
 * processes of the arm spend per request. A call that fails makes the round void.
 */
export async function closedLoopTurn(
  port: number,
  pids: Readonly<Record<string, number>>,
): Promise<Record<string, number>> {
  const before = await ask(port, 'start');
  const read = async () => ({ ...(await ask(port, 'progress')), cpu: cpuOfAll(pids) });
  try {
    await delay(warmUpSeconds * 1_000);
    const from = await read();
    await delay(measuredSeconds * 1_000);
    const to = await read();
    if (to.failed > before.failed) throw new VoidRound(`${to.failed - before.failed} calls failed: ${to.failure}`);
    return cpuFigures(from, to);
  } finally {
    await ask(port, 'stop');
  }
}
