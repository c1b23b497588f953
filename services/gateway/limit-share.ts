import type { LimitClass } from './route.ts';

/** What one caller may do of one class. */
export interface Quota {
  readonly name: LimitClass;
  /** The most in any window, and all at once if nothing was done before. */
  readonly burst: number;
  /** The window's length; `burst` in each is the rate. */
  readonly windowMs: number;
  /** How many permits a gateway takes at a time. */
  readonly lot: number;
  /** How many it gives before it counts with the others, to a caller who was quiet in the window before. */
  readonly credit: number;
  /** What a gateway does that can't count with the others: count alone, or refuse. */
  readonly whenAway: 'alone' | 'closed';
}

/** A quota of so many a second and so many at once; a closed one has no credit: it is never given without being counted. */
export function quotaOf(name: LimitClass, perSecond: number, burst: number, whenAway: Quota['whenAway']): Quota {
  // It divides the burst, or the last permits would be in no lot; no more than 4 %, for one lot is what two gateways may be off.
  const largest = Math.max(1, Math.floor(burst / 25));
  const lot = Array.from({ length: largest }, (_, n) => largest - n).find((size) => burst % size === 0) ?? 1;
  const windowMs = Math.ceil((burst * 1_000) / perSecond);
  // What one gateway gives uncounted, another does not know of, neither in this window nor in the next: together a lot.
  const credit = whenAway === 'alone' ? Math.floor(lot / 2) : 0;
  return { name, burst, windowMs, lot, credit, whenAway };
}

/** What one gateway knows of one caller's window; permits are numbered from 1 over all gateways. */
export interface Share {
  /** When the window began, in epoch milliseconds. */
  readonly startsAt: number;
  /** How many were allowed here. */
  used: number;
  /** How many were used in the window before, here or, once it was heard, by all gateways. */
  before: number;
  /** How many may be allowed before a lot is taken. */
  credit: number;
  /** Lots that all gateways have taken, as last heard; undefined until then. */
  lots: number | undefined;
  /** The numbers of this gateway's own permits that are left; they are due one by one. */
  next: number;
  last: number;
  /** Allowed without a permit; the next lots pay for them. */
  debt: number;
  /** Requests that wait for a lot. */
  waiting: number;
  /** The window before, whose permits may be left when it ends, or come only then: they are counted in `before`. */
  past: Share | undefined;
  /** How many of those were used in this window. */
  carried: number;
}

/** A caller's window after `past`; he has credit when he needed no lot for that one. */
export function openShare({ credit }: Quota, startsAt: number, past: Share | undefined): Share {
  const quiet = past === undefined || (past.lots === undefined && past.used <= credit);
  if (past) past.past = undefined;
  return {
    ...{ startsAt, used: 0, before: past?.used ?? 0, credit: quiet ? credit : 0, lots: undefined },
    ...{ next: 1, last: 0, debt: 0, waiting: 0, past, carried: 0 },
  };
}

/** How many of the window may be used by now: what was used in the one before counts for as much of it as is not over. */
export function room({ burst, windowMs }: Quota, { startsAt, before }: Share, now: number): number {
  const left = Math.max(0, 1 - (now - startsAt) / windowMs);
  return burst - before * left + 1e-9;
}

/** When permit `number` is due, in epoch milliseconds; one that this window does not have is the next window's first. */
export function dueAt({ burst, windowMs }: Quota, { startsAt, before }: Share, number: number): number {
  if (number > burst) return startsAt + windowMs * (1 + 1 / burst);
  return before === 0 ? startsAt : startsAt + windowMs * (1 - (burst - number) / before);
}

/**
 * Allows one more by a permit that is left of the window before. The longer that is over the less it counts for, so the
 * n-th is good for an n-th of this window: together they are hardly more than one too many.
 */
function carry({ burst, windowMs }: Quota, share: Share, now: number): boolean {
  const { past, startsAt } = share;
  if (past === undefined || past.next > Math.min(past.last, burst)) return false;
  if ((share.carried + 1) * (now - startsAt) > windowMs) return false;
  past.next += 1;
  share.carried += 1;
  return true;
}

/** Allows one more if that is known here; 'ask' when a lot has to be taken first, else when to come again. */
export function decide(quota: Quota, share: Share, now: number): 'allowed' | 'ask' | { dueAt: number } {
  if (carry(quota, share, now)) return 'allowed';
  const { lots, next } = share;
  if (next <= share.last) {
    if (next > room(quota, share, now)) return { dueAt: dueAt(quota, share, next) };
    share.next += 1;
  } else if (lots === undefined && share.debt < share.credit) {
    share.debt += 1;
  } else {
    const following = (lots ?? 0) * quota.lot + 1;
    const isKnown = lots !== undefined && following > room(quota, share, now);
    return isKnown ? { dueAt: dueAt(quota, share, following) } : 'ask';
  }
  share.used += 1;
  return 'allowed';
}

/** Allows one more by what this gateway has seen itself, or says when to come again. */
export function decideAlone(quota: Quota, share: Share, now: number): 'allowed' | { dueAt: number } {
  if (share.used + 1 > room(quota, share, now)) return { dueAt: dueAt(quota, share, share.used + 1) };
  share.used += 1;
  share.debt += 1;
  return 'allowed';
}

/** How many lots to take for so many who wait: few enough that gateways which do so at once leave each other some. */
export function lotsFor(quota: Quota, share: Share, waiting: number, now: number): number {
  const wanted = Math.ceil((waiting + share.debt) / quota.lot);
  const left = share.lots === undefined ? 0 : Math.floor(room(quota, share, now) / quota.lot) - share.lots;
  return Math.max(1, Math.min(wanted, Math.floor(left / 4)));
}

/**
 * Notes that `own` lots were taken here, and what was read after that: `lots` of all gateways in this window, `before` of
 * the window before. Own lots count as the latest: another gateway's that came between makes them due later, never sooner.
 */
export function noteLots(
  { burst, lot }: Quota,
  share: Share,
  heard: { own: number; lots: number; before: number | undefined },
): void {
  if (heard.before !== undefined) share.before = Math.max(share.before, Math.min(burst, heard.before * lot));
  share.lots = heard.lots;
  share.last = heard.lots * lot;
  const first = share.last - heard.own * lot + 1;
  const paid = Math.min(share.debt, heard.own * lot);
  share.debt -= paid;
  share.next = first + paid;
}

/** How many are left to be used by now, as far as is known here. */
export function remaining(quota: Quota, share: Share, now: number): number {
  const used =
    share.lots === undefined ? share.used : share.lots * quota.lot - Math.max(0, share.last - share.next + 1);
  return Math.max(0, Math.floor(room(quota, share, now) - used));
}
