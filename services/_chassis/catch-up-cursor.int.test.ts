import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Happened, startCatchUpBench, topic } from './test-support/catch-up.ts';

let bench: Awaited<ReturnType<typeof startCatchUpBench>>;
beforeEach(async () => {
  bench = await startCatchUpBench();
});
afterEach(() => bench.close());

describe("the cursor's rare mistakes", () => {
  it('when a transaction that began earlier commits later, its event is not passed over', async () => {
    const { handled, catchUp, tick } = bench.startConsumer();
    const emitted = Promise.withResolvers<void>();
    const mayCommit = Promise.withResolvers<void>();
    const slow = bench.producer.of('main').transaction(async (tx) => {
      // Draws transaction id and position now, as an insert of the outbox row does, and commits later.
      await tx.query(
        `insert into outbox (id, tenant, topic, type, subject, envelope)
         values ('slow', 'main', $1, $2, '1', json_build_object('specversion', '1.0', 'id', 'slow', 'source', 'urn:sidecart:producer',
           'type', $2::text, 'subject', '1', 'tenant', 'main', 'time', '', 'topic', $1::text, 'data', json_build_object('n', 1)))`,
        [topic, Happened.type],
      );
      emitted.resolve();
      await mayCommit.promise;
    });
    await emitted.promise;
    await bench.emit(2);
    await tick(); // the horizon stands before the slow transaction
    // A cursor by position alone would stand behind the second event now, and never see the first.
    const byPosition = await bench.producer.query<{ position: string }>('select position from outbox');
    expect(byPosition).toHaveLength(1);
    expect(handled).toEqual([]);
    mayCommit.resolve();
    await slow;
    await catchUp.tick();
    expect(handled).toEqual([1, 2]);
  });

  it('when a replica whose clock is behind commits last, its event is not passed over', async () => {
    const { handled, catchUp } = bench.startConsumer();
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 60_000 });
    await bench.emit(1);
    await catchUp.tick();
    vi.useRealTimers();
    await bench.emit(2);
    const ids = await bench.producer.query<{ id: string }>('select id from outbox order by position');
    expect((ids[1]?.id ?? '') < (ids[0]?.id ?? '')).toBe(true); // a cursor by UUIDv7 would skip the second
    await catchUp.tick();
    expect(handled).toEqual([1, 2]);
  });
});
