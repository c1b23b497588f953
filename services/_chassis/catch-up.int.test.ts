import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { createCatchUp, type EventLog } from './catch-up.ts';
import { createConsumer, on } from './consumer.ts';
import { DependencyError } from './errors.ts';
import { createLog } from './log.ts';
import { createMetrics } from './metrics.ts';
import { listOutbox, readOutbox } from './outbox.ts';
import { createTestDatabase, untilListable, type TestDatabase } from './test-support/database.ts';

const topic = 'producer.events';
const Happened = { type: 'com.sidecart.producer.thing.happened.v1', topic, data: z.object({ n: z.number() }) };
const migrations = new URL('./test-support/migrations', import.meta.url);
const log = createLog('consumer', 'silent');

let producer: TestDatabase;
let inbox: TestDatabase;
beforeEach(async () => {
  [producer, inbox] = await Promise.all([
    createTestDatabase('producer', migrations),
    createTestDatabase('consumer', migrations),
  ]);
});
afterEach(() => Promise.all([producer.close(), inbox.close()]));

const emit = (...numbers: number[]) =>
  producer.transaction(async (tx) => {
    for (const n of numbers) tx.emit(Happened, { subject: String(n), tenant: 'main', data: { n } });
  });
const outbox: EventLog = { list: (page) => listOutbox(producer, page), read: (ids) => readOutbox(producer, ids) };

/** A consumer that notes what it handled, in the order it did. */
function startConsumer(
  options: {
    logs?: Record<string, EventLog>;
    fail?: (n: number) => boolean;
    away?: (n: number) => boolean;
    graceMs?: number;
  } = {},
) {
  const handled: number[] = [];
  const metrics = createMetrics('consumer');
  const handle = on(Happened.data, async (_tx, { n }) => {
    if (options.fail?.(n) === true) throw new Error(`cannot handle ${n}`);
    if (options.away?.(n) === true) throw new DependencyError('database', 'unreachable');
    handled.push(n);
  });
  const subscription = (source: string) => ({
    source,
    topic: `${source}.events`,
    handlers: { [Happened.type]: handle },
  });
  const logs = options.logs ?? { producer: outbox };
  const consumer = createConsumer({
    service: 'consumer',
    database: inbox,
    log,
    metrics,
    subscriptions: Object.keys(logs).map(subscription),
    budget: 3,
  });
  const { tick } = createCatchUp({ consumer, database: inbox, logs, log, metrics, graceMs: options.graceMs ?? 0 });
  const cursor = async () => {
    const rows = await inbox.query<{ cursor: string }>(`select cursor from catch_up_cursors where source = 'producer'`);
    return rows[0]?.cursor;
  };
  const catchUp = { tick: () => untilListable(producer).then(tick) };
  return { handled, metrics, catchUp, tick, consumer, cursor };
}
const upTo = (n: number) => Array.from({ length: n }, (_, i) => i);

describe('catch-up', () => {
  it('when the broker delivered nothing, every event is handled once, in order, also over many pages', async () => {
    await emit(...upTo(1_200));
    const { handled, catchUp } = startConsumer();
    await catchUp.tick();
    await catchUp.tick();
    expect(handled).toEqual(upTo(1_200));
  });

  it('when two replicas catch up at once, each event is still handled once', async () => {
    for (const n of upTo(50)) await emit(n);
    const [a, b] = [startConsumer(), startConsumer()];
    await Promise.all([a.catchUp.tick(), b.catchUp.tick(), a.catchUp.tick()]);
    expect([...a.handled, ...b.handled].sort((x, y) => x - y)).toEqual(upTo(50));
  });

  it('when the broker was quicker, nothing is read and the cursor moves on', async () => {
    await emit(0);
    const read = vi.fn(outbox.read);
    const { handled, catchUp, consumer, cursor } = startConsumer({ logs: { producer: { ...outbox, read } } });
    await untilListable(producer);
    const [event] = await outbox.list({ topic, after: '0:0', limit: 1 });
    const [text] = await outbox.read([event?.id ?? '']);
    expect(await consumer.deliver(topic, JSON.parse(text ?? ''))).toBe('SUCCESS');
    await catchUp.tick();
    expect(read).not.toHaveBeenCalled();
    expect(handled).toEqual([0]);
    expect(await cursor()).toBe(event?.cursor);
  });

  it('when an event is younger than the grace, it is left to the broker and the cursor waits', async () => {
    await emit(0);
    const { handled, catchUp, cursor } = startConsumer({ graceMs: 60_000 });
    await catchUp.tick();
    expect(handled).toEqual([]);
    expect(await cursor()).toBe('0:0');
  });

  it('when a handler fails, the cursor waits for it until its budget is spent, and later events are handled meanwhile', async () => {
    for (const n of upTo(3)) await emit(n);
    const { handled, catchUp, cursor } = startConsumer({ fail: (n) => n === 1 });
    await catchUp.tick();
    expect(handled).toEqual([0, 2]);
    const waiting = await cursor();
    for (let i = 0; i < 3; i++) await catchUp.tick();
    expect(await cursor()).not.toBe(waiting);
    const rows = await inbox.query<{ status: string; cause: string }>(
      `select status, cause from inbox where status <> 'handled'`,
    );
    expect(rows).toEqual([{ status: 'failed', cause: 'cannot handle 1' }]);
  });

  it('when a dead letter is set back to pending, it is handled though the cursor is past it', async () => {
    let broken = true;
    await emit(0);
    const { handled, catchUp } = startConsumer({ fail: () => broken });
    for (let i = 0; i < 4; i++) await catchUp.tick();
    broken = false;
    await catchUp.tick();
    expect(handled).toEqual([]);
    await inbox.query(
      `update inbox set status = 'pending', attempts = 0, received_at = 'epoch' where status = 'failed'`,
    );
    await catchUp.tick();
    expect(handled).toEqual([0]);
  });

  it('when an event stays unhandled, its age is told; by one replica only', async () => {
    await emit(0);
    const { catchUp, metrics } = startConsumer({ fail: () => true });
    const age = async () => (await metrics.catchUpOldestAge.get()).values[0]?.value;
    await catchUp.tick();
    expect(await age()).toBeGreaterThan(0);
    await inbox.query(`update catch_up_cursors set leased_until = 'infinity'`);
    await catchUp.tick();
    expect(await age()).toBe(0);
  });

  it('when what a handler needs is away, the cursor waits, no budget is spent, and later events are handled', async () => {
    for (const n of upTo(3)) await emit(n);
    let away = true;
    const { handled, catchUp, cursor } = startConsumer({ away: (n) => away && n === 0 });
    for (let i = 0; i < 5; i++) await catchUp.tick();
    expect([handled, await cursor()]).toEqual([[1, 2], '0:0']);
    away = false;
    await catchUp.tick();
    expect(handled).toEqual([1, 2, 0]);
    expect(await cursor()).not.toBe('0:0');
  });

  it('when one producer is away, the topics of the others are caught up all the same', async () => {
    await emit(0);
    const away: EventLog = {
      list: () => Promise.reject(new Error('away')),
      read: () => Promise.reject(new Error('away')),
    };
    const { handled, catchUp } = startConsumer({ logs: { away, producer: outbox } });
    await catchUp.tick();
    expect(handled).toEqual([0]);
  });
});

describe("the cursor's rare mistakes", () => {
  it('when a transaction that began earlier commits later, its event is not passed over', async () => {
    const { handled, catchUp, tick } = startConsumer();
    const emitted = Promise.withResolvers<void>();
    const mayCommit = Promise.withResolvers<void>();
    const slow = producer.transaction(async (tx) => {
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
    await emit(2);
    await tick(); // the horizon stands before the slow transaction
    // A cursor by position alone would stand behind the second event now, and never see the first.
    const byPosition = await producer.query<{ position: string }>('select position from outbox');
    expect(byPosition).toHaveLength(1);
    expect(handled).toEqual([]);
    mayCommit.resolve();
    await slow;
    await catchUp.tick();
    expect(handled).toEqual([1, 2]);
  });

  it('when a replica whose clock is behind commits last, its event is not passed over', async () => {
    const { handled, catchUp } = startConsumer();
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 60_000 });
    await emit(1);
    await catchUp.tick();
    vi.useRealTimers();
    await emit(2);
    const ids = await producer.query<{ id: string }>('select id from outbox order by position');
    expect((ids[1]?.id ?? '') < (ids[0]?.id ?? '')).toBe(true); // a cursor by UUIDv7 would skip the second
    await catchUp.tick();
    expect(handled).toEqual([1, 2]);
  });
});
