import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { uuidv7 } from '../_chassis/uuid.ts';
import { insist } from '../../tools/drills/load.ts';
import { homeAt } from '../../tools/mesh/home.ts';
import { stockRoutes } from '../gateway/inventory.ts';
import { orderRoutes } from '../gateway/orders.ts';
import { productRoutes } from '../gateway/products.ts';
import { systemRoutes } from '../gateway/system.ts';
import { order } from '../orders/contract.ts';
import { expectAnswered } from './answered.ts';
import { openEventStream } from './event-source.ts';
import { describeHappyOrders } from './happy-orders.ts';
import { openShop, type Shop } from './shop.ts';

let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ replicas: { gateway: 2 }, env: { CATCH_UP_INTERVAL_MS: '500' } });
  return () => shop.close();
});

const cancel = (id: string) =>
  shop.as('ada')({ method: 'POST', path: `/api/orders/${id}/cancellation`, key: uuidv7() });

/** Holds a service's app still while something is tried; what is sent to it waits. */
async function whileStopped<T>(pair: string, work: () => Promise<T>): Promise<T> {
  shop.mesh.signal(pair, 'app', 'SIGSTOP');
  try {
    return await work();
  } finally {
    shop.mesh.signal(pair, 'app', 'SIGCONT');
  }
}

describeHappyOrders(() => shop);

describe('a cancellation that meets a service at work', () => {
  it('when stock is being reserved, ends the order at once', async () => {
    const id = await whileStopped('inventory-0', async () => {
      const placed = await shop.place();
      const answer = await cancel(placed.id);
      expect(answer.status).toBe(200);
      expect(answer.body).toMatchObject({ status: 'cancelled' });
      return placed.id;
    });
    await shop.until(id, 'cancelled');
  });

  it('when it is being shipped, is decided by fulfillment', async () => {
    const id = await whileStopped('fulfillment-0', async () => {
      const placed = await shop.place();
      await shop.until(placed.id, 'paid');
      expect((await cancel(placed.id)).body).toMatchObject({ status: 'cancelling' });
      return placed.id;
    });
    const { history } = await shop.until(id, 'cancelled', 'shipped');
    expect(history.map((move) => move.status)).toContain('cancelling');
  });
});

describe('idempotency keys', () => {
  const body = { items: [{ productId: '1', quantity: 1 }], paymentToken: 'tok_ok' };
  const place = (key: string, more: object = {}, gateway = 0) =>
    shop.as('ada', gateway)({ path: '/api/orders', key, body: { ...body, ...more } });

  it('when a key comes again, also at another gateway or after a restart, the answer is byte-identical', async () => {
    const key = uuidv7();
    const first = await place(key);
    expect(first.headers.get('location')).toBe(`/api/orders/${order.parse(first.body).id}`);
    await shop.until(order.parse(first.body).id, 'shipped');
    expect((await place(key, {}, 1)).text).toBe(first.text);
    for (const pair of ['orders-0', 'gateway-0']) shop.mesh.signal(pair, 'app', 'SIGKILL');
    await shop.mesh.waitReady(60_000);
    const { answer: again } = await insist(shop.as('ada'), { path: '/api/orders', key, body });
    expect([again.status, again.text, again.headers.get('location')]).toEqual([
      201,
      first.text,
      first.headers.get('location'),
    ]);
  });
});

describe('the edge over HTTPS', () => {
  it('when an order is followed at either gateway by who trusts its authority, every move comes', async () => {
    const ca = await readFile(join(homeAt(shop.mesh.home).edge, 'ca.pem'), 'utf8');
    const { id } = await shop.place();
    for (const port of [8443, 8543]) {
      const stream = await openEventStream(`https://127.0.0.1:${port}/api/orders/${id}/events`, {
        token: await shop.bearer('ada'),
        ca,
      });
      expect(await stream.ended).toBe('clean');
      expect(stream.events.map(({ event }) => event)).toEqual(['placed', 'reserved', 'paid', 'shipped']);
      expect(stream.headers['strict-transport-security']).toBeDefined();
    }
  });
});

describe('the books, after all that', () => {
  it('when audited, are clean', async () => {
    expect(await shop.audit()).toEqual([]);
  });

  it('when held against the published document, every answer fits, and every route of the shop has answered a success', async () => {
    const { followOrder, ...answered } = { ...systemRoutes, ...productRoutes, ...stockRoutes, ...orderRoutes };
    expect(followOrder.answers[200].body).toBe('event-stream'); // no answer that a log could hold
    await expectAnswered(shop.clientLog, answered);
  });
});
