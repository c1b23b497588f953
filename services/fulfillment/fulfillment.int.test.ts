import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { eventType } from '../_chassis/contract.ts';
import type { App } from '../_chassis/service.ts';
import { createTestDatabase, type TestDatabase } from '../_chassis/test-support/database.ts';
import { startTestService, type TestService } from '../_chassis/test-support/service.ts';
import { uuidv7 } from '../_chassis/uuid.ts';
import type { Worker } from '../_chassis/worker.ts';
import { disappointedBy } from '../_e2e/expectations.ts';
import { buildApp } from './app.ts';
import { fulfillmentContract } from './contract.ts';
import { seed } from './seed.ts';

type Service = TestService<typeof fulfillmentContract>;
interface Replica {
  readonly service: Service;
  start(): void;
  stop(): Promise<void>;
}

const pace = { pickMs: 30, packMs: 30 };
const lines = [{ productId: '1', warehouse: 'north', quantity: 2 }];
let database: TestDatabase;
let one: Replica;
let two: Replica;
let broken = false;

beforeAll(async () => {
  database = await createTestDatabase('fulfillment', new URL('./migrations', import.meta.url), 10);
  one = await replica();
  two = await replica();
});
afterEach(async () => {
  await Promise.all([one.stop(), two.stop()]);
  expect(await neglected()).toEqual([]);
});
afterAll(async () => {
  await one.service.close();
  await two.service.close();
  await database.close();
});

/** A replica on the one database; its worker runs only while a test wants it. */
async function replica(): Promise<Replica> {
  let app: App | undefined;
  let workers: readonly Worker[] = [];
  const breakable = <T>(work: () => Promise<T>): Promise<T> =>
    broken ? Promise.reject(Object.assign(new Error('refused'), { code: 'ECONNREFUSED' })) : work();
  const service = await startTestService({
    contract: fulfillmentContract,
    database: {
      ...database,
      transaction: (work) => breakable(() => database.transaction(work)),
      close: async () => {}, // the other replica stands on it, too
    },
    buildApp: (deps) => (app = buildApp(deps, pace)),
    budget: 3,
  });
  return {
    service,
    start: () => void (workers = app?.startWorkers?.() ?? []),
    stop: async () => void (await Promise.all(workers.map((worker) => worker.stop()))),
  };
}

const deliver = (name: string, orderId: string, data: object, id = uuidv7(), tenant = 'main', to = one) =>
  to.service.deliver({
    source: 'orders',
    topic: 'fulfillment.requests',
    type: eventType('orders', name),
    subject: orderId,
    data: { orderId, ...data },
    id,
    tenant,
  });
const request = (orderId: string, id?: string, tenant?: string, to?: Replica) =>
  deliver('shipment.requested', orderId, { lines }, id, tenant, to);
const withdraw = (orderId: string, id?: string, to?: Replica) =>
  deliver('shipment.withdrawn', orderId, { reason: 'customer' }, id, 'main', to);

const stateOf = async (orderId: string) => {
  const [row] = await database.query<{ state: string }>('select state from fulfillments where order_id = $1', [
    orderId,
  ]);
  return row?.state;
};
const becomes = (orderId: string, state: string) =>
  vi.waitFor(async () => expect(await stateOf(orderId)).toBe(state), { timeout: 15_000, interval: 5 });
const answersTo = async (orderId: string) =>
  (await one.service.emitted()).filter((e) => e.subject === orderId).map((e) => e.type.split('.').at(-2));
const parcelsOf = async (orderId: string) =>
  (await database.query('select 1 from shipments where order_id = $1', [orderId])).length;
const inboxOf = (orderId: string) =>
  database.query<{ status: string; attempts: number; cause: string | null }>(
    'select status, attempts, cause from inbox where subject = $1 order by received_at',
    [orderId],
  );
const containing = (text: string): unknown => expect.stringContaining(text);
/** Orders whose due work is not for their very state. */
const neglected = () =>
  database.query(
    `select f.order_id, f.state, d.state as due
       from fulfillments f full join due_work d on d.kind = 'step' and d.subject = f.order_id
      where (f.state in ('picking', 'packed')) is distinct from (d.subject is not null) or d.state <> f.state`,
  );

describe('an order to be shipped', () => {
  it('when nothing delays it, it is picked, packed and dispatched, with one parcel and its lines in the answer', async () => {
    one.start();
    const id = uuidv7();
    const startedAt = performance.now();
    await request(id);
    await becomes(id, 'dispatched');
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(pace.pickMs + pace.packMs);
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    expect([await answersTo(id), await parcelsOf(id)]).toEqual([['dispatched'], 1]);
    const [event] = (await one.service.emitted()).filter((e) => e.subject === id);
    expect(event?.data).toEqual({ orderId: id, lines });
  });

  it('when two replicas share the work, each order is dispatched once', async () => {
    one.start();
    two.start();
    const ids = Array.from({ length: 40 }, () => uuidv7());
    await Promise.all(ids.map((id, n) => request(id, uuidv7(), 'main', n % 2 === 0 ? one : two)));
    for (const id of ids) await becomes(id, 'dispatched');
    for (const id of ids) expect([await answersTo(id), await parcelsOf(id)]).toEqual([['dispatched'], 1]);
  });

  it('when a worker died in the middle, another takes the step once the lease has ended, and only once', async () => {
    const id = uuidv7();
    await request(id);
    await database.query(
      `update due_work set attempts = 1, leased_until = clock_timestamp() + interval '100 ms' where subject = $1`,
      [id],
    );
    one.start();
    await becomes(id, 'dispatched');
    expect([await answersTo(id), await parcelsOf(id)]).toEqual([['dispatched'], 1]);
  });

  it('when the database was away during a step, nothing was written and it is taken again', async () => {
    const id = uuidv7();
    await request(id);
    await new Promise((resolve) => setTimeout(resolve, pace.pickMs));
    broken = true;
    one.start();
    await vi.waitFor(async () => {
      expect(await database.query('select 1 from due_work where subject = $1 and attempts > 0', [id])).toHaveLength(1);
    });
    expect(await stateOf(id)).toBe('picking');
    broken = false;
    await database.query('update due_work set leased_until = clock_timestamp() where subject = $1', [id]);
    await becomes(id, 'dispatched');
    expect(await parcelsOf(id)).toBe(1);
  });
});

describe('a withdrawal', () => {
  it.each(['picking', 'packed'])('when the order is %s, it is cancelled and never leaves', async (state) => {
    const id = uuidv7();
    await request(id);
    await database.query('update fulfillments set state = $2 where order_id = $1', [id, state]);
    await database.query('update due_work set state = $2 where subject = $1', [id, state]);
    await withdraw(id);
    one.start();
    expect([await stateOf(id), await answersTo(id), await parcelsOf(id)]).toEqual(['cancelled', ['cancelled'], 0]);
  });

  it('when the order has left, the dispatch is the answer', async () => {
    one.start();
    const id = uuidv7();
    await request(id);
    await becomes(id, 'dispatched');
    expect(await withdraw(id)).toBe('SUCCESS');
    expect([await stateOf(id), await answersTo(id)]).toEqual(['dispatched', ['dispatched']]);
  });

  it('when it overtakes the request, a tombstone answers for both', async () => {
    one.start();
    const id = uuidv7();
    await withdraw(id);
    expect(await request(id)).toBe('SUCCESS');
    expect([await stateOf(id), await answersTo(id), await parcelsOf(id)]).toEqual(['cancelled', ['cancelled'], 0]);
  });

  it('when it comes with the request, there is one answer, whichever was first', async () => {
    const ids = Array.from({ length: 25 }, () => uuidv7());
    const both = (id: string) => [withdraw(id, uuidv7(), two), request(id)];
    const deliveries = await Promise.all(ids.flatMap((id, n) => (n % 2 === 0 ? both(id) : both(id).reverse())));
    expect(new Set(deliveries)).toEqual(new Set(['SUCCESS']));
    for (const id of ids) expect([await stateOf(id), await answersTo(id)]).toEqual(['cancelled', ['cancelled']]);
  });

  it('when it races with the dispatch, exactly one of the two is the answer', async () => {
    one.start();
    two.start();
    const ids = Array.from({ length: 40 }, () => uuidv7());
    await Promise.all(
      ids.map(async (id, n) => {
        await request(id);
        await new Promise((resolve) => setTimeout(resolve, pace.pickMs + pace.packMs + n - 10));
        await withdraw(id);
      }),
    );
    for (const id of ids) {
      await vi.waitFor(async () => expect(['dispatched', 'cancelled']).toContain(await stateOf(id)), 15_000);
      const state = await stateOf(id);
      expect([await answersTo(id), await parcelsOf(id)]).toEqual([[state], state === 'dispatched' ? 1 : 0]);
    }
  });
});

describe('fulfillment.requests', () => {
  it('when a message comes again, even at the same time, nothing changes', async () => {
    const id = uuidv7();
    const [asked, taken] = [uuidv7(), uuidv7()];
    await Promise.all(Array.from({ length: 5 }, () => request(id, asked)));
    await Promise.all(Array.from({ length: 5 }, () => withdraw(id, taken)));
    expect(await inboxOf(id)).toHaveLength(2);
    expect(await answersTo(id)).toEqual(['cancelled']);
  });

  it('when a message lacks what is needed, it is tried until its budget is spent and ends as a dead letter', async () => {
    const id = uuidv7();
    const poison = () => deliver('shipment.requested', id, { lines: [] }, `poison-${id}`);
    expect([await poison(), await poison(), await poison()]).toEqual(['RETRY', 'RETRY', 'SUCCESS']);
    expect(await inboxOf(id)).toMatchObject([{ status: 'failed', attempts: 3, cause: containing('lines') }]);
    expect(await stateOf(id)).toBeUndefined();
  });

  it('when another tenant names the order, it is refused and the order stays as it is', async () => {
    const id = uuidv7();
    await request(id);
    for (let n = 0; n < 3; n++) await request(id, `foreign-${id}`, 'other');
    expect((await inboxOf(id))[1]).toMatchObject({ status: 'failed', cause: containing('tenant') });
    expect(await stateOf(id)).toBe('picking');
  });

  it('when the database is away, the message comes again and spends no budget', async () => {
    const id = uuidv7();
    const asked = uuidv7();
    broken = true;
    for (let n = 0; n < 5; n++) expect(await request(id, asked)).toBe('RETRY');
    broken = false;
    expect(await request(id, asked)).toBe('SUCCESS');
    expect(await inboxOf(id)).toMatchObject([{ status: 'handled', attempts: 0 }]);
  });

  it('when a message has no readable envelope, it is dropped', async () => {
    const wrong = { source: 'products', topic: 'fulfillment.requests', type: 't', subject: 's', data: {} };
    expect(await one.service.deliver(wrong)).toBe('DROP');
  });
});

describe('the contract', () => {
  it('when the seed and every kind of answer are there, each consumer can read them, and a broken one is found out', async () => {
    const client = new pg.Client(database.url);
    await client.connect();
    await seed(client);
    await seed(client);
    await client.end();
    expect(await Promise.all(['1', '2', '4', '5'].map(stateOf))).toEqual([
      'dispatched',
      undefined,
      'cancelled',
      'dispatched',
    ]);
    expect(await Promise.all(['1', '4', '5'].map(parcelsOf))).toEqual([1, 0, 1]);
    expect((await database.query(`select id from inbox where id like 'seed-%'`)).length).toBe(4);
    expect((await one.service.emitted()).filter((event) => event.id.startsWith('seed-'))).toHaveLength(3);

    const made = (await one.service.emitted()).map(({ type, data }) => ({ name: type, value: data }));
    expect(new Set(made.map(({ name }) => name)).size).toBe(2);
    expect(await disappointedBy(made)).toEqual({ disappointments: [], unread: [] });
    const renamed = made.map(({ name, value }) => ({ name, value: { ...(value as object), orderId: undefined } }));
    expect((await disappointedBy(renamed)).disappointments.length).toBeGreaterThanOrEqual(renamed.length);
  });
});
