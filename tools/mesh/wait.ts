import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Group } from './group.ts';
import { UserError } from './user-error.ts';

/** Waits until all groups are ready at the same time, each asked afresh; fails with the names of those that are not. */
export async function waitUntilReady(
  groups: readonly Group[],
  options: { timeoutMs: number; onWaiting?: (ready: number) => void; giveUp?: () => Error | undefined },
): Promise<void> {
  const limit = Date.now() + options.timeoutMs;
  let told: number | undefined;
  for (;;) {
    const ready = await Promise.all(groups.map((group) => group.isReady()));
    const waiting = groups.filter((_, index) => ready[index] !== true);
    const now = groups.length - waiting.length;
    if (now !== told) options.onWaiting?.(now);
    told = now;
    if (waiting.length === 0) return;
    const reason = options.giveUp?.();
    if (reason) throw reason;
    if (Date.now() > limit) {
      const seconds = Math.round(options.timeoutMs / 1_000);
      throw new UserError(`not ready after ${seconds} s: ${waiting.map(({ name }) => name).join(', ')}`);
    }
    await delay(100);
  }
}

const deathsBeforeGivingUp = 3;

/**
 * Why a first start has no prospect: its user no longer wants it, or something died again and again without ever being
 * ready; with the end of its log.
 */
export function hopeless(groups: readonly Group[], logs: string, signal?: AbortSignal): Error | undefined {
  if (signal?.aborted) return new UserError('interrupted');
  const dying = groups.find(({ failures }) => failures >= deathsBeforeGivingUp);
  if (!dying?.lastDeath) return undefined;
  const { role, exit } = dying.lastDeath;
  const file = join(logs, `${dying.name}.${role}.log`);
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean).slice(-12);
  const words = lines.map((line) => `  ${line}`).join('\n');
  return new UserError(
    `${dying.name} ends again and again before it is ready (${role}: ${exit}). ${relative(process.cwd(), file)} ends with:\n${words}`,
  );
}
