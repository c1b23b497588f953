import { z } from 'zod';
import type { ClientAnswer } from '../audit/client-log.ts';

/** What people do in the shop. */
export const doings = ['browse', 'checkout', 'orders'] as const;
export type Doing = (typeof doings)[number];

/** What came of requests of one kind, each try counted by itself. */
export const tally = z.strictObject({
  ok: z.number(),
  /** A 503 that says when to come again. */
  refused: z.number(),
  /** How often what else than that: another 5xx or 429 by its status, a broken connection or no answer within 10 s as `none`. */
  failed: z.record(z.string(), z.number()),
  /** The longest that one try took, in seconds. */
  longest: z.number(),
});
export type Tally = z.infer<typeof tally>;

/** A tally in a line: answered / refused / failed, and by what. */
export function tallied({ ok, refused, failed }: Tally): string {
  const counts = Object.values(failed);
  const how = Object.entries(failed).map(([what, count]) => `${what}: ${count}`);
  const total = counts.reduce((sum, count) => sum + count, 0);
  return `${ok} / ${refused} / ${total}${how.length > 0 ? ` (${how.join(', ')})` : ''}`;
}

/** How an answer looks to who asked; undefined is none. */
export function outcomeOf(answer: ClientAnswer | undefined): 'ok' | 'refused' | 'failed' {
  if (!answer || answer.status === 429) return 'failed';
  if (answer.status < 500) return 'ok';
  return isRefusal(answer) ? 'refused' : 'failed';
}

/** Whether an answer says clearly that something is away: a problem, 503, with the time after which to come again. */
export const isRefusal = ({ status, headers }: ClientAnswer): boolean =>
  status === 503 &&
  Number(headers.get('retry-after')) > 0 &&
  (headers.get('content-type') ?? '').startsWith('application/problem+json');

/** Counts what people see. */
export interface Seen {
  note(doing: Doing, answer: ClientAnswer | undefined, ms: number): void;
  /** What was seen since the last time. */
  take(): Readonly<Record<Doing, Tally>>;
}

export function createSeen(): Seen {
  const nothing = (): Tally => ({ ok: 0, refused: 0, failed: {}, longest: 0 });
  const empty = (): Record<Doing, Tally> => ({ browse: nothing(), checkout: nothing(), orders: nothing() });
  let counts = empty();
  return {
    note(doing, answer, ms) {
      const one = counts[doing];
      const outcome = outcomeOf(answer);
      const what = String(answer?.status ?? 'none');
      if (outcome === 'failed') one.failed[what] = (one.failed[what] ?? 0) + 1;
      else one[outcome] += 1;
      one.longest = Math.max(one.longest, Math.round(ms / 100) / 10);
    },
    take() {
      const taken = counts;
      counts = empty();
      return taken;
    },
  };
}
