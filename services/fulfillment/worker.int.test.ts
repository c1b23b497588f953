import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { uuidv7 } from '../_chassis/uuid.ts';
import { lines, pace, startBench, type Bench } from './test-bench.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterEach(async () => {
  await Promise.all([bench.one.stop(), bench.two.stop()]);
  expect(await bench.neglected()).toEqual([]);
});
afterAll(() => bench.close());

const becomes = (orderId: string, state: string) =>
  vi.waitFor(async () => expect(await bench.stateOf(orderId)).toBe(state), { timeout: 15_000, interval: 5 });

describe('an order to be shipped', () => {
  it('when nothing delays it, it is picked, packed and dispatched, with one parcel and its lines in the answer', async () => {
    bench.one.start();
    const id = uuidv7();
    const startedAt = performance.now();
    await bench.request(id);
    await becomes(id, 'dispatched');
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(pace.pickMs + pace.packMs);
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    expect([await bench.answersTo(id), await bench.parcelsOf(id)]).toEqual([['dispatched'], 1]);
    const [event] = (await bench.one.service.emitted()).filter((e) => e.subject === id);
    expect(event?.data).toEqual({ orderId: id, lines });
  });

  it('when two replicas share the work, each order is dispatched once', async () => {
    bench.one.start();
    bench.two.start();
    const ids = Array.from({ length: 40 }, () => uuidv7());
    await Promise.all(ids.map((id, n) => bench.request(id, uuidv7(), 'main', n % 2 === 0 ? bench.one : bench.two)));
    for (const id of ids) await becomes(id, 'dispatched');
    for (const id of ids) expect([await bench.answersTo(id), await bench.parcelsOf(id)]).toEqual([['dispatched'], 1]);
  });

  it('when a worker died in the middle, another takes the step once the lease has ended, and only once', async () => {
    const id = uuidv7();
    await bench.request(id);
    await bench.database.query(
      `update due_work set attempts = 1, leased_until = clock_timestamp() + interval '100 ms' where subject = $1`,
      [id],
    );
    bench.one.start();
    await becomes(id, 'dispatched');
    expect([await bench.answersTo(id), await bench.parcelsOf(id)]).toEqual([['dispatched'], 1]);
  });

  it('when the database was away during a step, nothing was written and it is taken again', async () => {
    const id = uuidv7();
    await bench.request(id);
    await new Promise((resolve) => setTimeout(resolve, pace.pickMs));
    bench.breakDatabase(true);
    bench.one.start();
    await vi.waitFor(async () => {
      expect(
        await bench.database.query('select 1 from due_work where subject = $1 and attempts > 0', [id]),
      ).toHaveLength(1);
    }, 10_000);
    expect(await bench.stateOf(id)).toBe('picking');
    bench.breakDatabase(false);
    await bench.database.query('update due_work set leased_until = clock_timestamp() where subject = $1', [id]);
    await becomes(id, 'dispatched');
    expect(await bench.parcelsOf(id)).toBe(1);
  });
});

describe('a withdrawal', () => {
  it.each(['picking', 'packed'])('when the order is %s, it is cancelled and never leaves', async (state) => {
    const id = uuidv7();
    await bench.request(id);
    await bench.database.query('update fulfillments set state = $2 where order_id = $1', [id, state]);
    await bench.database.query('update due_work set state = $2 where subject = $1', [id, state]);
    await bench.withdraw(id);
    bench.one.start();
    expect([await bench.stateOf(id), await bench.answersTo(id), await bench.parcelsOf(id)]).toEqual([
      'cancelled',
      ['cancelled'],
      0,
    ]);
  });

  it('when the order has left, the dispatch is the answer', async () => {
    bench.one.start();
    const id = uuidv7();
    await bench.request(id);
    await becomes(id, 'dispatched');
    expect(await bench.withdraw(id)).toBe('SUCCESS');
    expect([await bench.stateOf(id), await bench.answersTo(id)]).toEqual(['dispatched', ['dispatched']]);
  });

  it('when it overtakes the request, a tombstone answers for both', async () => {
    bench.one.start();
    const id = uuidv7();
    await bench.withdraw(id);
    expect(await bench.request(id)).toBe('SUCCESS');
    expect([await bench.stateOf(id), await bench.answersTo(id), await bench.parcelsOf(id)]).toEqual([
      'cancelled',
      ['cancelled'],
      0,
    ]);
  });

  it('when it comes with the request, there is one answer, whichever was first', async () => {
    const ids = Array.from({ length: 25 }, () => uuidv7());
    const both = (id: string) => [bench.withdraw(id, uuidv7(), bench.two), bench.request(id)];
    const deliveries = await Promise.all(ids.flatMap((id, n) => (n % 2 === 0 ? both(id) : both(id).reverse())));
    expect(new Set(deliveries)).toEqual(new Set(['SUCCESS']));
    for (const id of ids)
      expect([await bench.stateOf(id), await bench.answersTo(id)]).toEqual(['cancelled', ['cancelled']]);
  });

  it('when it races with the dispatch, exactly one of the two is the answer', async () => {
    bench.one.start();
    bench.two.start();
    const ids = Array.from({ length: 40 }, () => uuidv7());
    await Promise.all(
      ids.map(async (id, n) => {
        await bench.request(id);
        await new Promise((resolve) => setTimeout(resolve, pace.pickMs + pace.packMs + n - 10));
        await bench.withdraw(id);
      }),
    );
    for (const id of ids) {
      await vi.waitFor(async () => expect(['dispatched', 'cancelled']).toContain(await bench.stateOf(id)), 15_000);
      const state = await bench.stateOf(id);
      expect([await bench.answersTo(id), await bench.parcelsOf(id)]).toEqual([[state], state === 'dispatched' ? 1 : 0]);
    }
  });
});
