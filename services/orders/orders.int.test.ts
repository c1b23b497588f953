import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventType } from '../_chassis/contract.ts';
import { encodeCursor } from '../_chassis/page.ts';
import { createTestDatabase } from '../_chassis/test-support/database.ts';
import { startTestService, type TestService } from '../_chassis/test-support/service.ts';
import { uuidv7 } from '../_chassis/uuid.ts';
import { disappointedBy } from '../_e2e/expectations.ts';
import { buildApp } from './app.ts';
import { ordersContract, type Order } from './contract.ts';
import { applyEvent, type OrderRecord } from './record.ts';
import { readEvents } from './store.ts';

let service: TestService<typeof ordersContract>;
const deadlines = { placedMs: 60_000, reservedMs: 60_000, overdueMs: 60_000 };

beforeAll(async () => {
  const database = await createTestDatabase('orders', new URL('./migrations', import.meta.url), 20);
  service = await startTestService({
    contract: ordersContract,
    database,
    buildApp: (deps) => buildApp(deps, deadlines),
    budget: 3,
  });
  await price('1', 1, 250);
  await price('2', 1, 1_000);
});
afterAll(() => service.close());

const price = (productId: string, version: number, amount: number, id = uuidv7()) =>
  service.deliver({
    id,
    source: 'products',
    topic: 'products.events',
    type: eventType('products', 'product.priced'),
    subject: productId,
    data: { productId, name: `Product ${productId}`, price: { amount, currency: 'EUR' }, version },
  });

const answer = (worker: string, name: string, orderId: string, data: object = {}, id = uuidv7()) =>
  service.deliver({
    id,
    source: worker,
    topic: `${worker}.events`,
    type: eventType(worker, name),
    subject: orderId,
    data: { orderId, ...data },
  });

const confirm = (orderId: string, id?: string) =>
  answer(
    'inventory',
    'reservation.confirmed',
    orderId,
    { lines: [{ productId: '1', warehouse: 'north', quantity: 2 }] },
    id,
  );

const customer = { sub: '1', roles: ['customer'] };
const two = { items: [{ productId: '1', quantity: 2 }], paymentToken: 'tok_ok' };

async function place(request = two, idempotencyKey = uuidv7()): Promise<Order> {
  const placed = await (await service.as(customer)).placeOrder(request, { idempotencyKey });
  if (placed.kind !== 'placed') throw new Error(placed.kind);
  return placed.order;
}

async function get(orderId: string): Promise<Order> {
  const found = await (await service.as(customer)).getOrder({ orderId });
  if (found.kind !== 'found') throw new Error(found.kind);
  return found.order;
}

const cancel = async (orderId: string) => (await service.as(customer)).cancelOrder({ orderId });
const sentFor = async (orderId: string) =>
  (await service.emitted())
    .filter((e) => e.subject === orderId && e.topic.endsWith('.requests'))
    .map((e) => e.type.split('.').slice(3, 5).join('.'));

describe('placeOrder', () => {
  it('when the products are known, the order is placed at the catalog prices and stock is asked for', async () => {
    const order = await place({
      items: [
        { productId: '1', quantity: 2 },
        { productId: '2', quantity: 1 },
      ],
      paymentToken: 'tok_ok',
    });
    expect(order).toMatchObject({
      status: 'placed',
      customerId: '1',
      version: 1,
      total: { amount: 1_500, currency: 'EUR' },
    });
    expect(order.items[0]).toEqual({
      productId: '1',
      name: 'Product 1',
      quantity: 2,
      unitPrice: { amount: 250, currency: 'EUR' },
    });
    expect(await sentFor(order.id)).toEqual(['reservation.requested']);
  });

  it('when a product is unknown, it is named and nothing is placed', async () => {
    const client = await service.as(customer);
    expect(await client.placeOrder({ items: [{ productId: 'no', quantity: 1 }], paymentToken: 'tok_ok' })).toEqual({
      kind: 'unknown-products',
      productIds: ['no'],
    });
  });

  it('when the key comes again, the answer is the first one even if prices changed; with another body it is refused', async () => {
    const key = uuidv7();
    const first = await place(two, key);
    await price('2', 2, 2_000);
    expect(await place(two, key)).toEqual(first);
    const client = await service.as(customer);
    expect(await client.placeOrder({ ...two, paymentToken: 'tok_other' }, { idempotencyKey: key })).toEqual({
      kind: 'key-reused',
    });
  });

  it('when another customer uses the same key, it is another order', async () => {
    const key = uuidv7();
    const first = await place(two, key);
    const other = await (await service.as({ sub: '2', roles: ['customer'] })).placeOrder(two, { idempotencyKey: key });
    expect(other.kind === 'placed' && other.order.id).not.toBe(first.id);
  });

  it('when the key is being worked on, it is said to be', async () => {
    const key = uuidv7();
    const started = Promise.withResolvers<void>();
    const held = Promise.withResolvers<void>();
    const holder = service.database.of('main').transaction(async (tx) => {
      await tx.query(
        `select pg_advisory_xact_lock(hashtextextended(jsonb_build_array('main', '1', $1::text)::text, 0))`,
        [key],
      );
      started.resolve();
      await held.promise;
    });
    await started.promise;
    expect(await (await service.as(customer)).placeOrder(two, { idempotencyKey: key })).toEqual({
      kind: 'in-progress',
    });
    held.resolve();
    await holder;
    expect((await place(two, key)).status).toBe('placed');
  });

  it('when 20 come at once with one key, there is one order', async () => {
    const key = uuidv7();
    const client = await service.as(customer);
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => client.placeOrder(two, { idempotencyKey: key })),
    );
    const ids = new Set(answers.flatMap((a) => (a.kind === 'placed' ? [a.order.id] : [])));
    expect(ids.size).toBe(1);
    expect(answers.every((a) => a.kind === 'placed' || a.kind === 'in-progress')).toBe(true);
  });

  it('when nobody is signed in, it is refused', async () => {
    expect(await (await service.as()).placeOrder(two)).toEqual({ kind: 'unauthenticated' });
  });
});

describe("an order's way", () => {
  it('when every worker says yes, it is shipped, and its history tells how', async () => {
    const { id } = await place();
    await confirm(id);
    await answer('payments', 'payment.captured', id);
    await answer('fulfillment', 'shipment.dispatched', id);
    const order = await get(id);
    expect(order.history.map((move) => move.status)).toEqual(['placed', 'reserved', 'paid', 'shipped']);
    expect(await sentFor(id)).toEqual(['reservation.requested', 'payment.requested', 'shipment.requested']);
  });

  it('when there is no stock it is rejected, when the payment is declined it ends and the stock goes back', async () => {
    const rejected = await place();
    await answer('inventory', 'reservation.refused', rejected.id);
    expect(await get(rejected.id)).toMatchObject({ status: 'rejected', version: 2 });
    const declined = await place();
    await confirm(declined.id);
    await answer('payments', 'payment.declined', declined.id, { reason: 'declined' });
    expect(await get(declined.id)).toMatchObject({ status: 'payment-failed' });
    expect(await sentFor(declined.id)).toContain('reservation.withdrawn');
  });

  it('when an event comes twice, also at once, it counts once', async () => {
    const { id } = await place();
    const eventId = uuidv7();
    const deliveries = await Promise.all([confirm(id, eventId), confirm(id, eventId), confirm(id, eventId)]);
    expect(deliveries).toEqual(['SUCCESS', 'SUCCESS', 'SUCCESS']);
    expect((await get(id)).version).toBe(2);
  });

  it('when an event can never be handled, it becomes a dead letter with its cause after its budget', async () => {
    const eventId = uuidv7();
    const tries = [];
    for (let i = 0; i < 4; i++) tries.push(await confirm('there-is-none', eventId));
    expect(tries).toEqual(['RETRY', 'RETRY', 'SUCCESS', 'SUCCESS']);
    const [row] = await service.database.query<{ status: string; cause: string }>(
      'select status, cause from inbox where id = $1',
      [eventId],
    );
    expect(row).toMatchObject({ status: 'failed', cause: 'there is no order there-is-none' });
  });

  it('when replayed from its events, the order is the same', async () => {
    const { id } = await place();
    await confirm(id);
    await cancel(id);
    const record = (await readEvents(service.database, 'main', id)).reduce<OrderRecord | undefined>(
      applyEvent,
      undefined,
    );
    expect(record?.history).toEqual((await get(id)).history);
  });
});

describe('cancelOrder', () => {
  it('when the order is only placed, it is cancelled at once and a late confirmation changes nothing', async () => {
    const { id } = await place();
    expect(await cancel(id)).toMatchObject({ kind: 'cancelled', order: { status: 'cancelled', version: 3 } });
    expect(await confirm(id)).toBe('SUCCESS');
    expect((await get(id)).status).toBe('cancelled');
    expect(await sentFor(id)).toEqual(['reservation.requested', 'reservation.withdrawn']);
  });

  it('when it is reserved, it waits for the money', async () => {
    const { id } = await place();
    await confirm(id);
    expect(await cancel(id)).toMatchObject({ order: { status: 'cancelling' } });
    await answer('payments', 'payment.captured', id);
    await answer('payments', 'payment.reversed', id, { outcome: 'refunded' });
    expect((await get(id)).status).toBe('cancelled');
  });

  it('when it is paid, fulfillment decides, and money and stock wait for it', async () => {
    const { id } = await place();
    await confirm(id);
    await answer('payments', 'payment.captured', id);
    await cancel(id);
    expect(await sentFor(id)).not.toContain('payment.withdrawn');
    await answer('fulfillment', 'shipment.cancelled', id, { reason: 'withdrawn' });
    expect((await sentFor(id)).slice(-2).sort()).toEqual(['payment.withdrawn', 'reservation.withdrawn']);
    await answer('payments', 'payment.reversed', id, { outcome: 'refunded' });
    expect((await get(id)).history.map((move) => move.status)).toEqual([
      'placed',
      'reserved',
      'paid',
      'cancelling',
      'cancelling',
      'cancelled',
    ]);
  });

  it('when it is shipped, the answer is no; when it is somebody else’s, it does not exist', async () => {
    const { id } = await place();
    await confirm(id);
    await answer('payments', 'payment.captured', id);
    await answer('fulfillment', 'shipment.dispatched', id);
    expect(await cancel(id)).toEqual({ kind: 'not-cancellable', status: 'shipped' });
    const stranger = await service.as({ sub: '2', roles: ['customer'] });
    expect(await stranger.cancelOrder({ orderId: id })).toEqual({ kind: 'not-found' });
    expect(await stranger.getOrder({ orderId: id })).toEqual({ kind: 'not-found' });
    const foreign = await service.as({ sub: '1', roles: ['staff'], tenant: 'other' });
    expect(await foreign.getOrder({ orderId: id })).toEqual({ kind: 'not-found' });
  });
});

describe('listOrders', () => {
  it('when paged, every order of the customer comes exactly once, newest first; staff see all', async () => {
    const mine = await service.as({ sub: 'pager', roles: ['customer'] });
    for (let n = 0; n < 7; n++) await mine.placeOrder(two);
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await mine.listOrders({ limit: 3, ...(cursor !== undefined && { cursor }) });
      if (page.kind !== 'page') throw new Error(page.kind);
      seen.push(...page.items.map((order) => order.id));
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    expect(seen).toEqual([...seen].sort().reverse());
    expect(new Set(seen).size).toBe(7);
    const all = await (await service.as({ sub: '3', roles: ['staff'] })).listOrders({ limit: 100, status: 'placed' });
    expect(all.kind === 'page' && new Set(all.items.map((order) => order.customerId)).size).toBeGreaterThan(1);
  });
});

describe('a cursor that was not given out', () => {
  const given = { createdAt: '2026-01-01T00:00:00.000Z', id: '1' };
  it.each([
    'bad',
    '',
    encodeCursor({ ...given, createdAt: '0000-01-01T00:00:00.000Z' }),
    encodeCursor({ ...given, createdAt: `2026-01-01T00:00:00.${'1'.repeat(200)}Z` }),
    encodeCursor({ ...given, createdAt: 'infinity' }),
    encodeCursor({ ...given, id: 'a\0b' }),
    encodeCursor({ ...given, id: { a: 1 } }),
  ])('when it is %s, it is refused and not given to the database', async (cursor) => {
    const mine = await service.as({ sub: 'pager', roles: ['customer'] });
    expect(await mine.listOrders({ limit: 3, cursor })).toEqual({ kind: 'bad-cursor' });
  });
});

describe('prices', () => {
  it('when an older price comes late, or after the product was retired, it changes nothing', async () => {
    await price('9', 3, 300);
    await price('9', 2, 200);
    expect((await place({ items: [{ productId: '9', quantity: 1 }], paymentToken: 'tok_ok' })).total.amount).toBe(300);
    const retired = { productId: '9', version: 5 };
    await service.deliver({
      source: 'products',
      topic: 'products.events',
      type: eventType('products', 'product.retired'),
      subject: '9',
      data: retired,
    });
    await price('9', 4, 400);
    const client = await service.as(customer);
    expect(await client.placeOrder({ items: [{ productId: '9', quantity: 1 }], paymentToken: 'tok_ok' })).toMatchObject(
      { kind: 'unknown-products' },
    );
  });
});

describe('what orders publishes', () => {
  it('every consumer can read it', async () => {
    const asked = { exportId: uuidv7(), userId: '1' };
    const type = eventType('users', 'export.requested');
    await service.deliver({ source: 'users', topic: 'users.events', type, subject: asked.exportId, data: asked });
    const events = await service.emitted();
    const { disappointments } = await disappointedBy(events.map((event) => ({ name: event.type, value: event.data })));
    expect(disappointments).toEqual([]);
    const types = new Set(events.map((event) => event.type));
    const never = Object.values(ordersContract.events).filter((event) => !types.has(event.type));
    expect(never).toEqual([]);
  });

  it('when a field were renamed, the consumers that need it would be named', async () => {
    const requested = ordersContract.events.ReservationRequested.type;
    const { disappointments } = await disappointedBy([{ name: requested, value: { orderId: '1', rows: [] } }]);
    expect(disappointments.map((one) => one.consumer)).toEqual(['inventory']);
  });
});
