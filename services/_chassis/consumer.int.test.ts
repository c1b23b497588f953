import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createConsumer, on } from './consumer.ts';
import { currentContext, traceIdOf } from './context.ts';
import { createDatabase, type Database, type Transaction } from './database.ts';
import { createEnvelope, toWire, type Envelope } from './envelope.ts';
import { DependencyError } from './errors.ts';
import { createLog } from './log.ts';
import { createMetrics } from './metrics.ts';
import { between, createTestDatabase, type TestDatabase } from './test-support/database.ts';

const topic = 'things.events';
const kept = 'com.sidecart.things.thing.kept.v1';
const log = createLog('reader', 'silent');

let db: TestDatabase;
beforeAll(async () => {
  db = await createTestDatabase('chassis', new URL('./test-support/migrations', import.meta.url));
});
beforeEach(() => db.query('truncate inbox, outbox'));
afterAll(() => db.close());

const makeEvent = (own: Partial<Envelope> = {}, data: unknown = { n: 1 }): Envelope => ({
  ...createEnvelope('things', { type: kept, topic, subject: '1', tenant: 'main', data }),
  ...own,
});

/** A consumer of one topic whose handler does what the test says. */
function start(handle: (tx: Transaction, n: number) => Promise<void> = async () => undefined, database: Database = db) {
  const metrics = createMetrics('reader');
  const handlers = { [kept]: on(z.object({ n: z.number() }), (tx, { n }) => handle(tx, n)) };
  const subscriptions = [{ source: 'things', topic, handlers }];
  const consumer = createConsumer({ service: 'reader', database, log, metrics, subscriptions, budget: 2 });
  const deliver = (event: Envelope, on = topic) => consumer.deliver(on, JSON.parse(JSON.stringify(toWire(event))));
  const counted = async (result: string) =>
    (await metrics.eventsHandled.get()).values.find(({ labels }) => labels.result === result)?.value ?? 0;
  return { consumer, deliver, counted };
}
const inbox = () => db.query('select id, status, attempts from inbox');

describe('a delivery', () => {
  it('when it is readable, its handler runs once under its trace, however often it comes', async () => {
    const seen: string[] = [];
    const { deliver, counted } = start(async (_tx, n) => {
      seen.push(`${n} ${traceIdOf(currentContext()?.traceparent ?? '')}`);
    });
    const event = makeEvent({ traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` });
    expect([await deliver(event), await deliver(event)]).toEqual(['SUCCESS', 'SUCCESS']);
    expect(seen).toEqual([`1 ${'a'.repeat(32)}`]);
    expect([await counted('handled'), await counted('duplicate')]).toEqual([1, 1]);
  });

  it.each([
    ['no envelope', (event: Envelope) => ({ n: event.id }), topic],
    ['nothing at all', () => undefined, topic],
    ['of a topic that is not subscribed to', (event: Envelope) => ({ ...event, topic: 'x' }), 'x'],
    ['of another topic than it says', (event: Envelope) => ({ ...event, topic: 'x' }), topic],
    ['of another producer', (event: Envelope) => ({ ...event, source: 'urn:sidecart:orders' }), topic],
    ['of no tenant', (event: Envelope) => ({ ...event, tenant: '' }), topic],
  ])('when it is %s, it is dropped and leaves no row', async (_name, change, on) => {
    const { consumer, counted } = start();
    expect(await consumer.deliver(on, change(makeEvent()))).toBe('DROP');
    expect([await inbox(), await counted('dropped')]).toEqual([[], 1]);
  });

  it('when nobody here handles its type, it only gets its row', async () => {
    const { deliver } = start(() => Promise.reject(new Error('not for this')));
    for (const type of ['com.sidecart.things.thing.other.v1', 'constructor', '__proto__'])
      expect(await deliver(makeEvent({ type }))).toBe('SUCCESS');
    expect(await inbox()).toMatchObject(Array(3).fill({ status: 'handled' }));
  });

  it('when its data is not what is expected, or the handler throws, it comes again until its budget is spent', async () => {
    const { deliver, counted } = start();
    const event = makeEvent({}, { n: 'one' });
    expect([await deliver(event), await deliver(event), await deliver(event)]).toEqual(['RETRY', 'SUCCESS', 'SUCCESS']);
    expect(await inbox()).toEqual([{ id: event.id, status: 'failed', attempts: 2 }]);
    expect([await counted('retry'), await counted('dead')]).toEqual([1, 1]);
  });

  it('when the database is away, it comes again and again at no expense', async () => {
    const nowhere = { host: '127.0.0.1', port: 1, password: '', poolSize: 1 };
    const away = createDatabase({ ...nowhere, service: 'reader', log });
    const { deliver, counted } = start(undefined, away);
    const event = makeEvent();
    for (let n = 0; n < 5; n++) expect(await deliver(event)).toBe('RETRY');
    expect(await counted('away')).toBe(5);
    expect(await start().deliver(event)).toBe('SUCCESS');
    expect(await inbox()).toEqual([{ id: event.id, status: 'handled', attempts: 0 }]);
    await away.close();
  });
});

describe('deliveries at the same time', () => {
  /** Keeps the first delivery under way until the others have come, so that these are one batch. */
  async function together(
    others: readonly Envelope[],
    handle: (tx: Transaction, n: number) => Promise<void> = async () => undefined,
  ) {
    const [begun, mayEnd] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    let transactions = 0;
    const counting = between(db, (scope) => ({
      transaction: (work) => ((transactions += 1), scope.transaction(work)),
    }));
    const { deliver, counted } = start(async (tx, n) => {
      if (n === 0) {
        begun.resolve();
        await mayEnd.promise;
      } else await handle(tx, n);
    }, counting);
    const first = deliver(makeEvent({}, { n: 0 }));
    await begun.promise;
    transactions = 0;
    const rest = Promise.all(others.map((event) => deliver(event)));
    mayEnd.resolve();
    expect(await first).toBe('SUCCESS');
    return { answers: await rest, transactions, counted };
  }
  const some = (count: number) =>
    Array.from({ length: count }, (_, n) => makeEvent({ subject: `${count - n}` }, { n: n + 1 }));

  it('when nothing is wrong with them, they are one transaction, in the order of their subjects', async () => {
    const seen: number[] = [];
    const { answers, transactions } = await together(some(5), async (tx, n) => {
      seen.push(n);
      tx.emit({ type: kept, topic, data: z.object({ n: z.number() }) }, { subject: 'x', tenant: 'main', data: { n } });
    });
    expect([answers, transactions, seen]).toEqual([Array(5).fill('SUCCESS'), 1, [5, 4, 3, 2, 1]]);
    expect(await db.query(`select 1 from inbox where status = 'handled'`)).toHaveLength(6);
    expect(await db.query('select 1 from outbox')).toHaveLength(5);
  });

  it('when one of them came before, or comes twice, its effects are there once', async () => {
    const seen: number[] = [];
    const [a, b, c] = some(3);
    if (!a || !b || !c) throw new Error('three were made');
    const handle = async (_tx: Transaction, n: number) => void seen.push(n);
    await start(handle).deliver(a);
    const { answers, counted } = await together([a, b, c, c], handle);
    expect([answers, seen.toSorted()]).toEqual([Array(4).fill('SUCCESS'), [1, 2, 3]]);
    expect(await counted('duplicate')).toBe(2);
  });

  it('when one fails, the others are handled, and only its own budget is spent', async () => {
    const events = some(4);
    const { answers } = await together(events, async (tx, n) => {
      tx.write(
        `insert into outbox (id, tenant, topic, type, subject, envelope) values ($1, 'main', '', '', '', '{}')`,
        [n],
      );
      if (n === 2) await tx.query('select 1/0');
    });
    expect(answers).toEqual(['SUCCESS', 'RETRY', 'SUCCESS', 'SUCCESS']);
    expect(await db.query(`select id, attempts from inbox where status <> 'handled'`)).toEqual([
      { id: events[1]?.id, attempts: 1 },
    ]);
    expect(await db.query('select id from outbox order by id')).toEqual([{ id: '1' }, { id: '3' }, { id: '4' }]);
  });

  it('when they are of several tenants, each tenant’s are one transaction, which sees no other’s rows', async () => {
    const events = some(4).map((event, n) => ({ ...event, tenant: n % 2 === 0 ? 'main' : 'other' }));
    const seen: string[] = [];
    const { answers, transactions } = await together(events, async (tx, n) => {
      const rows = await tx.query<{ tenant: string }>('select distinct tenant from inbox order by 1');
      const tenant = n % 2 === 0 ? 'other' : 'main';
      seen.push(`${tenant} sees ${rows.map((row) => row.tenant).join(', ')}`);
      tx.emit({ type: kept, topic, data: z.object({ n: z.number() }) }, { subject: 'x', tenant, data: { n } });
    });
    expect([answers, transactions]).toEqual([Array(4).fill('SUCCESS'), 2]);
    expect(seen.toSorted()).toEqual(['main sees main', 'main sees main', 'other sees other', 'other sees other']);
    expect(await db.query('select tenant, count(*)::int as n from outbox group by 1 order by 1')).toEqual([
      { tenant: 'main', n: 2 },
      { tenant: 'other', n: 2 },
    ]);
  });

  it('when what they depend on is away, all come again at no expense', async () => {
    const { answers, counted } = await together(some(3), () =>
      Promise.reject(new DependencyError('db', 'unreachable')),
    );
    expect(answers).toEqual(Array(3).fill('RETRY'));
    expect([await counted('away'), await inbox()]).toMatchObject([3, [{ status: 'handled' }]]);
  });
});
