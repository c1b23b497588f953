import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createLog } from '../_chassis/log.ts';
import { DependencyError } from '../_chassis/errors.ts';
import { memoryCounters } from '../_chassis/test-support/counters.ts';
import { createLots, type Lots } from './limit-lots.ts';
import { quotaOf } from './limit-share.ts';
import { createBudget, type Decision } from './limits.ts';

const order = quotaOf('order', 50, 100, 'alone');
const signIn = quotaOf('sign-in', 50, 100, 'closed');
const log = createLog('gateway', 'silent');

/** A clock that stands still until it is wound on, and wakes who waits by then. */
function createClock(now: number) {
  const sleepers = new Set<{ until: number; wake: () => void }>();
  const clock = {
    now,
    sleep: (ms: number) => new Promise<void>((wake) => void sleepers.add({ until: clock.now + ms, wake })),
    async windTo(to: number) {
      for (; clock.now <= to; clock.now += 1) {
        for (const sleeper of sleepers) if (sleeper.until <= clock.now && sleepers.delete(sleeper)) sleeper.wake();
        await new Promise(setImmediate);
      }
      clock.now = to;
    },
  };
  return clock;
}

/** So many gateways on one clock and one set of counters, `travelMs` away; ask one of them for a caller. */
function startGateways(count: number, quota = order, startAt = 1_000_000, travelMs?: () => number) {
  const clock = createClock(startAt);
  const counters = memoryCounters(travelMs && (() => clock.sleep(travelMs())));
  const budgets = Array.from({ length: count }, () =>
    createBudget(quota, { lots: createLots({ sidecar: counters, log }), clock: () => clock.now }),
  );
  const take = async (gateway: number, caller = 'ada'): Promise<Decision> => {
    const decision = await budgets[gateway % count]?.take(caller);
    if (!decision) throw new Error('there is no gateway');
    return decision;
  };
  return { clock, counters, take };
}

const allowedOf = (decisions: readonly Decision[]) => decisions.filter(({ kind }) => kind === 'allowed').length;

/** The most that was allowed in any interval, as what is above rate x t. */
function mostAbove(times: readonly number[], perMs: number): number {
  // The surplus of [i, j] is (j - i + 1) - rate x (tj - ti): one pass with the best start so far.
  let best = 0;
  let start = Number.NEGATIVE_INFINITY;
  times.forEach((time, index) => {
    start = Math.max(start, perMs * time - index);
    best = Math.max(best, index + 1 - perMs * time + start);
  });
  return best;
}

describe('one gateway', () => {
  it('when a burst comes, exactly that many are allowed, and then one for each twentieth of a second', async () => {
    const { clock, take } = startGateways(1);
    expect(allowedOf(await Promise.all(Array.from({ length: 300 }, () => take(0))))).toBe(100);
    let allowed = 0;
    for (const end = clock.now + 6_000; clock.now < end; clock.now += 5) allowed += allowedOf([await take(0)]);
    expect(allowed).toBeGreaterThanOrEqual(195); // of the first window nothing is left
    expect(allowed).toBeLessThanOrEqual(205);
  });

  it('when a caller is slow, nobody counts him; when he is not, it costs two questions for each lot', async () => {
    const { clock, counters, take } = startGateways(1);
    for (let second = 0; second < 30; second += 1, clock.now += 1_000) expect((await take(0)).kind).toBe('allowed');
    expect(counters.asked).toEqual([]);
    for (let n = 0; n < 100; n += 1) await take(0);
    expect(counters.asked.length).toBeLessThanOrEqual(2 * (100 / order.lot) + 1);
    const before = counters.asked.length;
    for (let n = 0; n < 1_000; n += 1) expect((await take(0)).kind).toBe('refused');
    expect(counters.asked.length).toBe(before);
  });

  it('when it refuses, it says when to come again, and is right', async () => {
    const { clock, take } = startGateways(1);
    clock.now += 500;
    await Promise.all(Array.from({ length: 100 }, () => take(0)));
    const refused = await take(0);
    expect(refused).toMatchObject({ kind: 'refused', remaining: 0, afterMs: 1_520 });
    clock.now += refused.afterMs - 1;
    expect((await take(0)).kind).toBe('refused');
    clock.now += 1;
    expect((await take(0)).kind).toBe('allowed');
  });

  it('when it allows, it says how many are left', async () => {
    const { take } = startGateways(1);
    for (let left = 99; left >= 0; left -= 1) expect((await take(0)).remaining).toBe(left);
  });

  it('when one caller has used up his own, others have theirs', async () => {
    const { take } = startGateways(1);
    await Promise.all(Array.from({ length: 200 }, () => take(0)));
    expect((await take(0, 'ben')).kind).toBe('allowed');
  });

  it('when more callers come than are remembered, the counters still know who was busy', async () => {
    const { take } = startGateways(1);
    await Promise.all(Array.from({ length: 200 }, () => take(0)));
    for (let n = 0; n < 25_000; n += 1) await take(0, `stranger ${n}`);
    expect(allowedOf(await Promise.all(Array.from({ length: 50 }, () => take(0))))).toBeLessThanOrEqual(order.credit);
  });
});

describe('any demand', () => {
  // Also the worst: all at the end of a window and all again at the beginning of the next, all at one gateway and little at
  // the other.
  const demand = fc.array(
    fc.record({
      afterMs: fc.oneof(fc.constantFrom(0, 1, 10, 1_990, 2_000), fc.integer({ min: 0, max: 4_000 })),
      atOnce: fc.oneof(fc.constantFrom(1, 3, 9, 150), fc.integer({ min: 1, max: 150 })),
      first: fc.nat(1),
      spread: fc.boolean(),
    }),
    { minLength: 1, maxLength: 60 },
  );

  // What is given on credit just before and just after the turn of a window.
  const creditTwice = [
    { afterMs: 1_990, atOnce: 5, first: 0, spread: true },
    { afterMs: 10, atOnce: 94, first: 1, spread: false },
    { afterMs: 0, atOnce: 6, first: 0, spread: true },
    { afterMs: 0, atOnce: 1, first: 1, spread: false },
  ];

  it.each([1, 2])(
    'when it meets %i gateways, no interval has more than rate x t + burst and a twentieth',
    async (gateways) => {
      await fc.assert(
        fc.asyncProperty(demand, async (steps) => {
          const { clock, take } = startGateways(gateways);
          const times: number[] = [];
          for (const { afterMs, atOnce, first, spread } of steps) {
            clock.now += afterMs;
            const asked = Array.from({ length: atOnce }, (_, n) => take(spread ? first + n : first));
            const allowed = allowedOf(await Promise.all(asked));
            times.push(...Array.from({ length: allowed }, () => clock.now));
          }
          expect(mostAbove(times, 0.05)).toBeLessThanOrEqual(105.000_1);
        }),
        { numRuns: 300, examples: [[creditTwice]] },
      );
    },
  );

  it('when it never stops, every window gives what it has, within 5 %', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 12 }), fc.nat(1_999), async (everyMs, offset) => {
        const { clock, take } = startGateways(2, order, 1_000_000 + offset);
        let allowed = 0;
        for (const end = clock.now + 10_000; clock.now < end; clock.now += everyMs)
          allowed += allowedOf(await Promise.all([take(0), take(1)]));
        expect(allowed).toBeGreaterThanOrEqual(500 * 0.95);
        expect(allowed).toBeLessThanOrEqual((500 + 100) * 1.05);
      }),
      { numRuns: 20 },
    );
  });

  it('when a burst comes at any time, two gateways that are some way from the counters hold it within 5 %', async () => {
    const at = fc.oneof(fc.nat(1_999), fc.integer({ min: 1_800, max: 1_999 })); // also over the turn of a window
    const burst = { at, lasts: fc.nat(300), travel: fc.infiniteStream(fc.integer({ min: 1, max: 8 })) };
    await fc.assert(
      fc.asyncProperty(fc.record(burst), async ({ at, lasts, travel }) => {
        const { clock, take } = startGateways(2, order, 1_000_000 + at, () => Number(travel.next().value));
        const asked: Promise<Decision>[] = [];
        const times: number[] = [];
        for (let n = 0; n < 300; n += 1) {
          await clock.windTo(1_000_000 + at + Math.floor((lasts * n) / 300));
          asked.push(take(n));
          void asked.at(-1)?.then(({ kind }) => kind === 'allowed' && times.push(clock.now));
        }
        await clock.windTo(clock.now + 900);
        expect(allowedOf(await Promise.all(asked))).toBeGreaterThanOrEqual(95);
        expect(mostAbove(times, 0.05)).toBeLessThanOrEqual(105.000_1);
      }),
      { numRuns: 40 },
    );
  });

  it('when a caller keeps to nine tenths of the rate, he is never refused', async () => {
    const { clock, take } = startGateways(2);
    for (let n = 0; n < 1_000; n += 1, clock.now += 1_000 / 45) expect((await take(n)).kind).toBe('allowed');
  });
});

describe('without the counters', () => {
  const away: Lots = { take: async () => 'away', isAway: () => true };
  const start = (quota = order, lots = away) => {
    const clock = { now: 1_000_000 };
    return { clock, budget: createBudget(quota, { lots, clock: () => clock.now }) };
  };

  it('when they are away, each gateway keeps the limit by itself, and needs no time for that', () => {
    const { budget } = start();
    const decisions = Array.from({ length: 150 }, () => {
      const decision = budget.take('ada');
      if (decision instanceof Promise) throw new Error('it waits');
      return decision;
    });
    expect(allowedOf(decisions)).toBe(100);
    expect(decisions.at(-1)).toMatchObject({ kind: 'refused', alone: true });
  });

  it('when they are away, nobody may sign in', async () => {
    expect(await start(signIn).budget.take('address 192.0.2.1')).toMatchObject({ kind: 'closed' });
  });

  it('when they are back, what was given meanwhile counts', async () => {
    const counters = createLots({ sidecar: memoryCounters(), log });
    let isAway = true;
    const { budget } = start(order, { ...counters, isAway: () => isAway });
    for (let n = 0; n < 60; n += 1) expect(await budget.take('ada')).toMatchObject({ kind: 'allowed' });
    isAway = false;
    const late: Decision[] = [];
    for (let n = 0; n < 100; n += 1) late.push(await budget.take('ada'));
    expect(allowedOf(late)).toBe(40);
  });

  it('when they fail, one question finds out that they are back, and each change is logged once', async () => {
    const counters = memoryCounters();
    let up = false;
    const asked: string[] = [];
    const invokeBinding: typeof counters.invokeBinding = async (binding, operation, options) => {
      asked.push(operation);
      if (!up) throw new DependencyError(binding, 'failed');
      return counters.invokeBinding(binding, operation, options);
    };
    const lots = createLots({ sidecar: { invokeBinding }, log });
    const window = { key: 'k', before: undefined, own: 1, ttlMs: 1_000 };
    expect(await lots.take(window)).toBe('away');
    expect(lots.isAway()).toBe(true);
    expect(asked).toEqual(['increment']);
    up = true;
    await expect.poll(() => lots.isAway(), { interval: 5 }).toBe(false);
    expect(asked).toEqual(['increment', 'increment']);
    expect(await lots.take(window)).toEqual({ lots: 1, before: undefined });
  });
});
