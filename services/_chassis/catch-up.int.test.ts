import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { EventLog } from './catch-up.ts';
import { startCatchUpBench, topic, upTo } from './test-support/catch-up.ts';
import { untilListable } from './test-support/database.ts';

let bench: Awaited<ReturnType<typeof startCatchUpBench>>;
beforeEach(async () => {
  bench = await startCatchUpBench();
});
afterEach(() => bench.close());

describe('catch-up', () => {
  it('when the broker delivered nothing, every event is handled once, in order, also over many pages', async () => {
    await bench.emit(...upTo(1_200));
    const { handled, catchUp } = bench.startConsumer();
    await catchUp.tick();
    await catchUp.tick();
    expect(handled).toEqual(upTo(1_200));
  });

  it('when two replicas catch up at once, each event is still handled once', async () => {
    for (const n of upTo(50)) await bench.emit(n);
    const [a, b] = [bench.startConsumer(), bench.startConsumer()];
    await Promise.all([a.catchUp.tick(), b.catchUp.tick(), a.catchUp.tick()]);
    expect([...a.handled, ...b.handled].sort((x, y) => x - y)).toEqual(upTo(50));
  });

  it('when the broker was quicker, nothing is read and the cursor moves on', async () => {
    await bench.emit(0);
    const read = vi.fn(bench.outbox.read);
    const { handled, catchUp, consumer, cursor } = bench.startConsumer({
      logs: { producer: { ...bench.outbox, read } },
    });
    await untilListable(bench.producer);
    const [event] = await bench.outbox.list({ topic, after: '0:0', limit: 1 });
    const [text] = await bench.outbox.read([event?.id ?? '']);
    expect(await consumer.deliver(topic, JSON.parse(text ?? ''))).toBe('SUCCESS');
    await catchUp.tick();
    expect(read).not.toHaveBeenCalled();
    expect(handled).toEqual([0]);
    expect(await cursor()).toBe(event?.cursor);
  });

  it('when an event is younger than the grace, it is left to the broker and the cursor waits', async () => {
    await bench.emit(0);
    const { handled, catchUp, cursor } = bench.startConsumer({ graceMs: 60_000 });
    await catchUp.tick();
    expect(handled).toEqual([]);
    expect(await cursor()).toBe('0:0');
  });

  it('when a handler fails, the cursor waits for it until its budget is spent, and later events are handled meanwhile', async () => {
    for (const n of upTo(3)) await bench.emit(n);
    const { handled, catchUp, cursor } = bench.startConsumer({ fail: (n) => n === 1 });
    await catchUp.tick();
    expect(handled).toEqual([0, 2]);
    const waiting = await cursor();
    for (let i = 0; i < 3; i++) await catchUp.tick();
    expect(await cursor()).not.toBe(waiting);
    const rows = await bench.inbox.query<{ status: string; cause: string }>(
      `select status, cause from inbox where status <> 'handled'`,
    );
    expect(rows).toEqual([{ status: 'failed', cause: 'cannot handle 1' }]);
  });

  it('when a dead letter is set back to pending, it is handled though the cursor is past it', async () => {
    let broken = true;
    await bench.emit(0);
    const { handled, catchUp } = bench.startConsumer({ fail: () => broken });
    for (let i = 0; i < 4; i++) await catchUp.tick();
    broken = false;
    await catchUp.tick();
    expect(handled).toEqual([]);
    await bench.inbox.query(
      `update inbox set status = 'pending', attempts = 0, received_at = 'epoch' where status = 'failed'`,
    );
    await catchUp.tick();
    expect(handled).toEqual([0]);
  });

  it('when an event stays unhandled, its age is told; by one replica only', async () => {
    await bench.emit(0);
    const { catchUp, metrics } = bench.startConsumer({ fail: () => true });
    const age = async () => (await metrics.catchUpOldestAge.get()).values[0]?.value;
    await catchUp.tick();
    expect(await age()).toBeGreaterThan(0);
    await bench.inbox.query(`update catch_up_cursors set leased_until = 'infinity'`);
    await catchUp.tick();
    expect(await age()).toBe(0);
  });

  it('when what a handler needs is away, the cursor waits, no budget is spent, and later events are handled', async () => {
    for (const n of upTo(3)) await bench.emit(n);
    let away = true;
    const { handled, catchUp, cursor } = bench.startConsumer({ away: (n) => away && n === 0 });
    for (let i = 0; i < 5; i++) await catchUp.tick();
    expect([handled, await cursor()]).toEqual([[1, 2], '0:0']);
    away = false;
    await catchUp.tick();
    expect(handled).toEqual([1, 2, 0]);
    expect(await cursor()).not.toBe('0:0');
  });

  it('when one producer is away, the topics of the others are caught up all the same', async () => {
    await bench.emit(0);
    const away: EventLog = {
      list: () => Promise.reject(new Error('away')),
      read: () => Promise.reject(new Error('away')),
    };
    const { handled, catchUp } = bench.startConsumer({ logs: { away, producer: bench.outbox } });
    await catchUp.tick();
    expect(handled).toEqual([0]);
  });
});
