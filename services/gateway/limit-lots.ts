import { withoutContext } from '../_chassis/context.ts';
import { DependencyError } from '../_chassis/errors.ts';
import type { Log } from '../_chassis/log.ts';
import type { Sidecar } from '../_chassis/sidecar.ts';

/** The windows' lots, as all gateways count them together. */
export interface Lots {
  /** Counts `own` lots of a window and then reads how many have been counted of it, and of `before` where it is given. */
  take(window: {
    key: string;
    before: string | undefined;
    own: number;
    ttlMs: number;
  }): Promise<{ lots: number; before: number | undefined } | 'away'>;
  /** Whether the counters can't be reached at the moment; asking costs nothing. */
  isAway(): boolean;
}

const binding = 'ratelimits';
const shortestPauseMs = 25;
const longestPauseMs = 1_000;

/**
 * Lots behind a switch: when the counters have failed, or said nothing for `timeoutMs`, nobody waits for them until one
 * increment has succeeded, tried again after 25 ms, 50 ms and so on to once a second. Incrementing and then reading never
 * shows less than what all have taken, and has no conflict to repeat; state with ETags has on a busy key (twelve times slower, as
 * measured).
 */
export function createLots(deps: { sidecar: Pick<Sidecar, 'invokeBinding'>; log: Log; timeoutMs?: number }): Lots {
  const { sidecar, log, timeoutMs = 150 } = deps;
  let away = false;
  let pauseMs = shortestPauseMs;
  let askAgainAt = 0;

  // What is counted for one caller serves others too: no deadline, token or trace of his goes along.
  const invoke = (operation: string, metadata: Record<string, string>, until: number) => {
    const leftMs = Math.max(1, until - performance.now());
    return withoutContext(() => sidecar.invokeBinding(binding, operation, { metadata, timeoutMs: leftMs }));
  };
  const increment = (key: string, ttlMs: number, until: number) =>
    invoke('increment', { key, ttlInSeconds: String(Math.ceil(ttlMs / 1_000)) }, until);

  async function read(key: string, until: number): Promise<number> {
    const text = await invoke('get', { key }, until);
    if (!/^\d{0,15}$/.test(text)) throw new DependencyError(binding, 'failed', { detail: 'a counter is no number' });
    return Number(text);
  }

  function probe(): void {
    if (performance.now() < askAgainAt) return;
    askAgainAt = Number.POSITIVE_INFINITY;
    // A full store still answers reads.
    increment('limit:probe', 60_000, performance.now() + timeoutMs).then(
      () => {
        away = false;
        log.info('rate limits are counted together again');
      },
      () => {
        pauseMs = Math.min(longestPauseMs, pauseMs * 2);
        askAgainAt = performance.now() + pauseMs;
      },
    );
  }

  return {
    async take({ key, before, own, ttlMs }) {
      const until = performance.now() + timeoutMs;
      try {
        await Promise.all(Array.from({ length: own }, () => increment(key, ttlMs, until)));
        const past = before === undefined ? undefined : read(before, until);
        const [lots, lotsBefore] = await Promise.all([read(key, until), past]);
        return { lots, before: lotsBefore };
      } catch (error) {
        if (!(error instanceof DependencyError)) throw error;
        if (!away) {
          log.warn({ err: error }, 'rate limits are counted by each gateway alone, and nobody can sign in');
          away = true;
          pauseMs = shortestPauseMs;
          askAgainAt = performance.now() + pauseMs;
        }
        return 'away';
      }
    },
    isAway() {
      if (away) probe();
      return away;
    },
  };
}
