import { request as httpRequest } from 'node:http';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { uuidv7 } from '../_chassis/uuid.ts';
import { readClientLog } from '../../tools/audit/client-log.ts';
import { routes } from '../gateway/contract.ts';
import { readConformity } from '../gateway/test-conformity.ts';
import { order } from '../orders/contract.ts';
import { badRequests, type Who } from './bad-input.ts';
import { openShop, type Person, type Shop } from './shop.ts';

let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ replicas: { gateway: 2 }, env: { CATCH_UP_INTERVAL_MS: '500' } });
  return () => shop.close();
});

const problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number(),
  code: z.string(),
  traceId: z.string(),
});
const cancel = (id: string, key = uuidv7(), person: Person = 'ada') =>
  shop.as(person)({ method: 'POST', path: `/api/orders/${id}/cancellation`, key });

/** Holds a service's app still while something is tried; what is sent to it waits. */
async function whileStopped<T>(pair: string, work: () => Promise<T>): Promise<T> {
  shop.mesh.signal(pair, 'app', 'SIGSTOP');
  try {
    return await work();
  } finally {
    shop.mesh.signal(pair, 'app', 'SIGCONT');
  }
}

describe('an order', () => {
  it('when nothing delays it, is shipped within seconds, and every move is in its history', async () => {
    const placed = await shop.place({
      items: [
        { productId: '1', quantity: 2 },
        { productId: '2', quantity: 1 },
      ],
    });
    expect(placed).toMatchObject({
      status: 'placed',
      customerId: '1',
      version: 1,
      total: { amount: 58_700, currency: 'EUR' },
    });
    expect(placed.items[0]).toMatchObject({
      name: 'Espresso Machine Lina',
      unitPrice: { amount: 24_900, currency: 'EUR' },
    });
    const shipped = await shop.until(placed.id, 'shipped');
    expect(shipped.history.map((move) => move.status)).toEqual(['placed', 'reserved', 'paid', 'shipped']);
    const [first, last] = [shipped.history.at(0), shipped.history.at(-1)];
    expect(Date.parse(last?.at ?? '') - Date.parse(first?.at ?? '')).toBeLessThan(20_000);
  });

  it('when there is no stock, is rejected, and says why', async () => {
    const { id } = await shop.place({ items: [{ productId: '200', quantity: 1 }] });
    expect((await shop.until(id, 'rejected')).history.at(-1)).toMatchObject({ reason: 'out-of-stock' });
  });

  it('when the card is declined, ends as payment-failed', async () => {
    const { id } = await shop.place({ paymentToken: 'tok_declined' });
    await shop.until(id, 'payment-failed');
  });

  it.each(['tok_slow', 'tok_flaky', 'tok_lost'])(
    'when the bank is like %s, is shipped all the same',
    async (paymentToken) => {
      const { id } = await shop.place({ paymentToken });
      await shop.until(id, 'shipped');
    },
  );

  it('when its price changes, keeps the price it was placed at; the next one has the new price', async () => {
    const { id } = await shop.place({ items: [{ productId: '10', quantity: 1 }] });
    const staff = shop.as('staff');
    const changed = await staff({
      method: 'PATCH',
      path: '/api/products/10',
      body: { price: { amount: 12_345, currency: 'EUR' } },
    });
    expect(changed.status).toBe(200);
    expect((await staff({ path: '/api/products/10' })).body).toMatchObject({ price: { amount: 12_345 } });
    await expect
      .poll(async () => (await shop.place({ items: [{ productId: '10', quantity: 1 }] })).total.amount, {
        timeout: 10_000,
      })
      .toBe(12_345);
    expect((await shop.until(id, 'shipped')).total.amount).not.toBe(12_345);
  });

  it('when somebody else asks for it, does not exist; the showcase can be read by anybody', async () => {
    const { id } = await shop.place();
    expect((await shop.as('ben')({ path: `/api/orders/${id}` })).status).toBe(404);
    expect((await cancel(id, uuidv7(), 'ben')).status).toBe(404);
    const showcase = await shop.as()({ path: '/api/orders/1' });
    expect(showcase.status).toBe(200);
    expect(order.parse(showcase.body)).toMatchObject({ id: '1', status: 'shipped' });
  });
});

describe('a cancellation', () => {
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

  it('when the bank is being asked, gives back the stock at once and the money when the bank has answered', async () => {
    const { id } = await shop.place({ paymentToken: 'tok_slow' });
    await shop.until(id, 'reserved');
    expect((await cancel(id)).body).toMatchObject({ status: 'cancelling' });
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

  it('when the order has ended, is answered no; when it was cancelled already, the same again', async () => {
    const { id } = await shop.place();
    await shop.until(id, 'shipped');
    const late = await cancel(id);
    expect(late.status).toBe(409);
    expect(late.body).toMatchObject({
      code: 'order-not-cancellable',
      type: 'urn:sidecart:problem:order-not-cancellable',
    });
  });

  it('when the key comes again, is byte-identical; without a key it is refused', async () => {
    const { id } = await shop.place({ paymentToken: 'tok_slow' });
    const key = uuidv7();
    const first = await cancel(id, key);
    await shop.until(id, 'cancelled');
    expect((await cancel(id, key)).text).toBe(first.text);
    expect((await shop.as('ada')({ method: 'POST', path: `/api/orders/${id}/cancellation` })).status).toBe(400);
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

  it('when a key comes with another body 422, without a key 400', async () => {
    const key = uuidv7();
    await place(key);
    expect(await place(key, { paymentToken: 'tok_other' })).toMatchObject({
      status: 422,
      body: { code: 'idempotency-key-reused' },
    });
    expect((await shop.as('ada')({ path: '/api/orders', body })).status).toBe(400);
  });

  it('when 1,000 keys come 20 times at once, there are exactly 1,000 orders', async () => {
    const keys = Array.from({ length: 1_000 }, () => uuidv7());
    const told = new Map<string, Set<string>>();
    const items = [{ productId: '20', quantity: 1 }];
    const work = keys.flatMap((key) => Array.from({ length: 20 }, () => key));
    const next = work[Symbol.iterator]();
    const client = async (gateway: number) => {
      const ask = shop.as('ben', gateway);
      for (const key of next) {
        const answer = await ask({ path: '/api/orders', key, body: { ...body, items } });
        if (answer.status === 201) told.set(key, (told.get(key) ?? new Set()).add(answer.text));
        else if (answer.status !== 409 && answer.status !== 503) throw new Error(`${answer.status} ${answer.text}`);
      }
    };
    await Promise.all(Array.from({ length: 40 }, (_, index) => client(index % 2)));
    expect(told.size).toBe(1_000);
    expect([...told.values()].every((texts) => texts.size === 1)).toBe(true);
  });
});

describe('bad input', () => {
  const persons: Record<Exclude<Who, 'forged'>, Person> = { customer: 'ada', staff: 'staff', warehouse: 'warehouse' };
  it.each(badRequests)('when it is $name, the answer is $expect and a problem', async (bad) => {
    const authorization =
      bad.token === undefined
        ? {}
        : { authorization: bad.token === 'forged' ? 'Bearer no.such.token' : shop.bearer(persons[bad.token]) };
    const answer = await raw(bad.method, bad.path, { ...bad.headers, ...authorization }, bad.body);
    expect(answer.status).toBe(bad.expect);
    expect(answer.type).toMatch(/^application\/problem\+json/);
    expect(problem.parse(JSON.parse(answer.text))).toMatchObject({ status: bad.expect, code: bad.code });
    expect(answer.text).not.toMatch(/node:|\/services\/|at .*\.ts|dapr|postgres|select /i);
  });
});

describe('the catalog', () => {
  it('when a product is read twice, the second answer comes from the cache; a write is seen at once', async () => {
    const staff = shop.as('staff');
    const created = await staff({
      path: '/api/products',
      body: { name: 'Test Lamp', category: 'home', price: { amount: 990, currency: 'EUR' } },
    });
    expect(created.status).toBe(201);
    const path = created.headers.get('location') ?? '';
    await shop.as()({ path });
    expect((await shop.as()({ path })).headers.get('x-cache')).toBe('hit');
    await staff({ method: 'PATCH', path, body: { name: 'Better Lamp' } });
    expect((await shop.as()({ path })).body).toMatchObject({ name: 'Better Lamp' });
    expect((await staff({ method: 'DELETE', path })).status).toBe(204);
    expect((await shop.as()({ path })).status).toBe(404);
  });

  it('when it is paged, every product comes once', async () => {
    const page = z.object({ items: z.array(z.object({ id: z.string() })), nextCursor: z.string().nullish() });
    const ids: string[] = [];
    let cursor: string | null | undefined;
    do {
      const answer = await shop.as()({ path: `/api/products?limit=70${cursor == null ? '' : `&cursor=${cursor}`}` });
      const { items, nextCursor } = page.parse(answer.body);
      ids.push(...items.map((item) => item.id));
      cursor = nextCursor;
    } while (cursor != null);
    expect(ids.length).toBeGreaterThanOrEqual(200);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('when goods come in or were miscounted, the stock says so', async () => {
    const ask = shop.as('warehouse');
    const receipts = await ask({ path: '/api/inventory/200/receipts', body: { warehouse: 'north', quantity: 3 } });
    expect(receipts.body).toMatchObject({ productId: '200', available: 3 });
    const adjusted = await ask({
      path: '/api/inventory/200/adjustments',
      body: { warehouse: 'north', quantity: -2, reason: 'broken' },
    });
    expect(adjusted.body).toMatchObject({ available: 1 });
    expect(
      (
        await ask({
          path: '/api/inventory/200/adjustments',
          body: { warehouse: 'north', quantity: -2, reason: 'broken' },
        })
      ).status,
    ).toBe(409);
    expect(
      (await shop.as('ada')({ path: '/api/inventory/200/receipts', body: { warehouse: 'north', quantity: 3 } })).status,
    ).toBe(403);
    expect((await shop.as()({ path: '/api/inventory/200' })).body).toMatchObject({ available: 1 });
  });
});

describe('the front page', () => {
  it('when asked for its health, names every service', async () => {
    const answer = await shop.as()({ path: '/health' });
    expect(answer.status).toBe(200);
    const services = ['products', 'inventory', 'orders', 'payments', 'fulfillment'];
    const healthy = Object.fromEntries(services.map((name) => [name, { status: 'healthy' }]));
    expect(answer.body).toMatchObject({ status: 'healthy', services: healthy });
    expect((await shop.as()({ path: '/' })).status).toBe(200);
    expect((await shop.as()({ path: '/openapi.json' })).body).toMatchObject({ openapi: '3.1.1' });
    expect((await shop.as('ben')({ path: '/api/orders?limit=5' })).status).toBe(200);
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
    expect(Object.keys(routes).filter((name) => !succeeded.has(name))).toEqual([]);
  });
});

/** A request as it is, without a client that would mend it. */
function raw(method: string, path: string, headers: Record<string, string>, body?: string) {
  return new Promise<{ status: number; type: string; text: string }>((resolve, reject) => {
    const request = httpRequest(
      { host: '127.0.0.1', port: 8080, method, path, headers, timeout: 10_000 },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          resolve({ status: response.statusCode ?? 0, type: response.headers['content-type'] ?? '', text });
        });
      },
    );
    request.on('error', reject);
    request.on('timeout', () => request.destroy(new Error('no answer')));
    request.end(body);
  });
}
