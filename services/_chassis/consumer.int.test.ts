import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createConsumer, on } from './consumer.ts';
import { currentContext, traceIdOf } from './context.ts';
import { createDatabase, type Database, type Transaction } from './database.ts';
import { createEnvelope, toWire, type Envelope } from './envelope.ts';
import { createLog } from './log.ts';
import { createMetrics } from './metrics.ts';
import { createTestDatabase, type TestDatabase } from './test-support/database.ts';

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
