import { createHash } from 'node:crypto';
import type { Lots } from './limit-lots.ts';
import { decide, decideAlone, lotsFor, noteLots, openShare, remaining, type Quota, type Share } from './limit-share.ts';

/** What becomes of a request; `alone` when this gateway could not count with the others. */
export interface Decision {
  readonly kind: 'allowed' | 'refused' | 'closed';
  readonly alone: boolean;
  /** How many more there may be by now. */
  readonly remaining: number;
  /** Until the next is due when it was refused, else until the window ends; milliseconds. */
  readonly afterMs: number;
}

/** The budgets of all callers of one class. */
export interface Budget {
  readonly quota: Quota;
  /** Decides about one request of a caller; `caller` is any text that is his alone. */
  take(caller: string): Decision | Promise<Decision>;
}

/** Callers that are remembered, of each of two windows; the oldest is forgotten, and then costs the counters a question. */
const mostCallers = 20_000;

/**
 * Budgets that all gateways share.
 *
 * The rule is the sliding window counter (https://blog.cloudflare.com/counting-things-a-lot-of-different-things/): a window
 * of burst / rate seconds has room for `burst`, less what was used in the window before times the share of it that still
 * lies within one window's length. So any interval of t seconds has at most rate x t + burst. Unlike GCRA, which needs a
 * compare-and-set that collapses on a busy key, it needs only counters that grow.
 *
 * Gateways count in lots of at most 4 % of the burst. A lot is taken by an increment and the read after it, which together
 * give its number; its permits have numbers, too, and each is due when the window has room for its number. So a lot is a
 * place in a queue over all gateways, and whoever is refused costs nothing: when to come again is known here. Permits that a
 * window leaves over have been counted as used, so they are good for the beginning of the next.
 *
 * Error: two gateways that take a lot at the same moment both read the later number, and the last lot of a burst may so be
 * lost; a lot may be left over where the demand has gone elsewhere; a caller who was quiet in the window before is given
 * half a lot before any is counted. So with g gateways at most (g - 1) lots too few or too many: 4 % with two. Clocks that
 * differ by d seconds add rate x d. While the counters are away each gateway keeps the limit by itself, and what it gave
 * then is paid for by the lots that it takes when they are back.
 *
 * Cost: none for a caller within the credit; else one increment and one read a lot, and one more read a window.
 */
export function createBudget(quota: Quota, deps: { lots: Lots; clock?: () => number }): Budget {
  const { lots, clock = Date.now } = deps;
  const { windowMs } = quota;
  let window = 0;
  let current = new Map<string, Share>();
  let previous = new Map<string, Share>();
  const asking = new Map<Share, Promise<void>>();

  function shareOf(caller: string, now: number): Share {
    const index = Math.floor(now / windowMs);
    if (index !== window) {
      previous = index === window + 1 ? current : new Map<string, Share>();
      current = new Map();
      window = index;
    }
    const known = current.get(caller);
    if (known) return known;
    const share = openShare(quota, index * windowMs, previous.get(caller));
    if (current.size >= mostCallers) current.delete(current.keys().next().value ?? '');
    current.set(caller, share);
    return share;
  }

  const decision = (kind: Decision['kind'], share: Share, now: number, alone: boolean, until?: number): Decision => ({
    kind,
    alone,
    remaining: kind === 'allowed' ? remaining(quota, share, now) : 0,
    afterMs: Math.max(0, (until ?? share.startsAt + windowMs) - now),
  });

  function alone(share: Share, now: number): Decision {
    if (quota.whenAway === 'closed') return decision('closed', share, now, true, now + 1_000);
    const found = decideAlone(quota, share, now);
    if (found === 'allowed') return decision('allowed', share, now, true);
    return decision('refused', share, now, true, found.dueAt);
  }

  /** Takes lots of a share, unless that is under way. */
  function ask(caller: string, share: Share, now: number): Promise<void> {
    const underWay = asking.get(share);
    if (underWay) return underWay;
    const id = createHash('sha256').update(caller).digest('base64url').slice(0, 22);
    const keyOf = (startsAt: number) => `limit:${quota.name}:${id}:${startsAt}`;
    const own = lotsFor(quota, share, share.waiting + 1, now);
    const before = share.lots === undefined ? keyOf(share.startsAt - windowMs) : undefined;
    const asked = lots
      .take({ key: keyOf(share.startsAt), before, own, ttlMs: 2 * windowMs + 1_000 })
      .then((heard) => void (heard !== 'away' && noteLots(quota, share, { own, ...heard })))
      .finally(() => asking.delete(share));
    asking.set(share, asked);
    return asked;
  }

  async function wait(caller: string): Promise<Decision> {
    for (;;) {
      const now = clock();
      const share = shareOf(caller, now);
      const found = decideNow(share, now);
      if (found) return found;
      const asked = ask(caller, share, now);
      share.waiting += 1;
      await asked.finally(() => void (share.waiting -= 1));
    }
  }

  /** Decides by what is known here; undefined when a lot has to be taken first. */
  function decideNow(share: Share, now: number): Decision | undefined {
    const found = decide(quota, share, now);
    if (found === 'allowed') return decision('allowed', share, now, false);
    if (found !== 'ask') return decision('refused', share, now, false, found.dueAt);
    return lots.isAway() ? alone(share, now) : undefined;
  }

  return {
    quota,
    take(caller) {
      const now = clock();
      return decideNow(shareOf(caller, now), now) ?? wait(caller);
    },
  };
}
