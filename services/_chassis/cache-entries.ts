import { z } from 'zod';
import { remainingMs } from './context.ts';
import { DependencyError } from './errors.ts';
import type { Log } from './log.ts';
import type { Sidecar } from './sidecar.ts';

/** A version of something cached; `value` is null once it is gone. */
export interface Entry<Value> {
  readonly version: number;
  readonly value: Value | null;
}

/** How entries of a kind of value are read back from the state store. */
export const entryOf = <Value>(value: z.ZodType<Value>): z.ZodType<Entry<Value>> =>
  z.object({ version: z.number().int(), value: value.nullable() });

/** What is under a key now, with the ETag by which it can be replaced; both are missing where nothing is. */
export interface Seen<Value> {
  readonly entry: Entry<Value> | undefined;
  readonly etag: string | undefined;
}

/** What is in the state store; `away` is the answer while it can't be reached, and then costs no time. */
export interface Entries<Value> {
  get(key: string): Promise<Seen<Value> | 'away'>;
  /** Replaces what was seen; `beaten` when somebody else did so first. */
  put(key: string, entry: Entry<Value>, seen: Seen<Value>): Promise<'put' | 'beaten' | 'away'>;
}

/**
 * Entries behind a switch: daprd takes 500 ms to say that Redis is dead, so after a failure nobody asks for `pauseMs`,
 * and then one question that nobody waits for finds out whether it is back.
 */
export function createEntries<Value>(deps: {
  value: z.ZodType<Value>;
  state: Pick<Sidecar, 'getState' | 'setState'>;
  log: Log;
  ttlMs: number;
  pauseMs: number;
}): Entries<Value> {
  const { state, log } = deps;
  const entry = entryOf(deps.value);
  const ttlSeconds = Math.ceil(deps.ttlMs / 1_000);
  let away = false;
  let askAgainAt = 0;

  async function attempt<T>(work: () => Promise<T>): Promise<T | 'away'> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof DependencyError)) throw error;
      const ownDeadlinePassed = (remainingMs() ?? 1) <= 0;
      if (!away && !ownDeadlinePassed) {
        log.warn({ err: error }, 'cache is away');
        away = true;
        askAgainAt = performance.now() + deps.pauseMs;
      }
      return 'away';
    }
  }

  function probe(key: string): void {
    if (performance.now() < askAgainAt) return;
    askAgainAt = Number.POSITIVE_INFINITY;
    state.getState(key).then(
      () => {
        away = false;
        log.info('cache is back');
      },
      () => {
        askAgainAt = performance.now() + deps.pauseMs;
      },
    );
  }

  return {
    async get(key) {
      if (away) {
        probe(key);
        return 'away';
      }
      return attempt(async () => {
        const found = await state.getState(key);
        // An entry that another release wrote and this one can't read is as good as none.
        return { entry: entry.safeParse(found?.value).data, etag: found?.etag };
      });
    },
    async put(key, value, { etag }) {
      if (away) return 'away';
      return attempt(async () => ((await state.setState(key, value, { etag, ttlSeconds })) ? 'put' : 'beaten'));
    },
  };
}
