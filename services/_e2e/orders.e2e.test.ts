import { beforeAll, describe, expect, it } from 'vitest';
import { uuidv7 } from '../_chassis/uuid.ts';
import { readClientLog } from '../../tools/audit/client-log.ts';
import { routes } from '../gateway/contract.ts';
import { readConformity } from '../gateway/test-conformity.ts';
import { order } from '../orders/contract.ts';
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
    const again = await place(key);
    expect([again.status, again.text, again.headers.get('location')]).toEqual([
      201,
      first.text,
      first.headers.get('location'),
    ]);
  });
});

describe('the books, after all that', () => {
  it('when audited, are clean', async () => {
    expect(await shop.audit()).toEqual([]);
  });

  it('when held against the published document, every answer fits, and every route has answered a success', async () => {
    const conformity = await readConformity();
    const succeeded = new Set<string | undefined>();
    const problems = new Set<string>();
    for await (const { method, path, status, body } of readClientLog(shop.clientLog)) {
      const { operation, problem } = conformity({ method, path, status, body });
      if (status < 300) succeeded.add(operation);
      if (problem !== undefined) problems.add(`${method} ${path} ${status}: ${problem}`);
    }
    expect([...problems]).toEqual([]);
    const { followOrder, ...answered } = routes;
    expect(followOrder.answers[200].body).toBe('event-stream'); // no answer that a log could hold
    expect(Object.keys(answered).filter((name) => !succeeded.has(name))).toEqual([]);
  });
});
