import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { uuidv7 } from '../_chassis/uuid.ts';
import { order } from '../orders/contract.ts';
import { badRequests, type Who } from './bad-input.ts';
import { rawRequest } from './raw-request.ts';
import type { Person, Storefront } from './shop.ts';

const problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number(),
  code: z.string(),
  traceId: z.string(),
});

/**
 * What a shop does while nothing in it dies or stands still, however it was started; `shop` is asked once it is open. What
 * something in front of the gateway refuses by itself is `refusedBefore`: the answer by the name of the bad request.
 */
export function describeHappyOrders(
  shop: () => Storefront,
  refusedBefore: Readonly<Record<string, { expect: number; code: string }>> = {},
): void {
  const cancel = (id: string, key = uuidv7(), person: Person = 'ada') =>
    shop().as(person)({ method: 'POST', path: `/api/orders/${id}/cancellation`, key });

  describe('an order', () => {
    it('when nothing delays it, is shipped within seconds, and every move is in its history', async () => {
      const placed = await shop().place({
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
      const shipped = await shop().until(placed.id, 'shipped');
      expect(shipped.history.map((move) => move.status)).toEqual(['placed', 'reserved', 'paid', 'shipped']);
      const [first, last] = [shipped.history.at(0), shipped.history.at(-1)];
      expect(Date.parse(last?.at ?? '') - Date.parse(first?.at ?? '')).toBeLessThan(20_000);
    });

    it('when there is no stock, is rejected, and says why', async () => {
      const { id } = await shop().place({ items: [{ productId: '200', quantity: 1 }] });
      expect((await shop().until(id, 'rejected')).history.at(-1)).toMatchObject({ reason: 'out-of-stock' });
    });

    it('when the card is declined, ends as payment-failed', async () => {
      const { id } = await shop().place({ paymentToken: 'tok_declined' });
      await shop().until(id, 'payment-failed');
    });

    it.each(['tok_slow', 'tok_flaky', 'tok_lost'])(
      'when the bank is like %s, is shipped all the same',
      async (paymentToken) => {
        const { id } = await shop().place({ paymentToken });
        await shop().until(id, 'shipped');
      },
    );

    it('when its price changes, keeps the price it was placed at; the next one has the new price', async () => {
      const { id } = await shop().place({ items: [{ productId: '10', quantity: 1 }] });
      const staff = shop().as('staff');
      const changed = await staff({
        method: 'PATCH',
        path: '/api/products/10',
        body: { price: { amount: 12_345, currency: 'EUR' } },
      });
      expect(changed.status).toBe(200);
      expect((await staff({ path: '/api/products/10' })).body).toMatchObject({ price: { amount: 12_345 } });
      await expect
        .poll(async () => (await shop().place({ items: [{ productId: '10', quantity: 1 }] })).total.amount, {
          timeout: 10_000,
        })
        .toBe(12_345);
      expect((await shop().until(id, 'shipped')).total.amount).not.toBe(12_345);
    });

    it('when somebody else asks for it, does not exist; the showcase can be read by anybody', async () => {
      const { id } = await shop().place();
      expect((await shop().as('ben')({ path: `/api/orders/${id}` })).status).toBe(404);
      expect((await cancel(id, uuidv7(), 'ben')).status).toBe(404);
      const showcase = await shop().as()({ path: '/api/orders/1' });
      expect(showcase.status).toBe(200);
      expect(order.parse(showcase.body)).toMatchObject({ id: '1', status: 'shipped' });
    });
  });

  describe('a cancellation', () => {
    it('when the bank is being asked, gives back the stock at once and the money when the bank has answered', async () => {
      const { id } = await shop().place({ paymentToken: 'tok_slow' });
      await shop().until(id, 'reserved');
      expect((await cancel(id)).body).toMatchObject({ status: 'cancelling' });
      await shop().until(id, 'cancelled');
    });

    it('when the order has ended, is answered no; when it was cancelled already, the same again', async () => {
      const { id } = await shop().place();
      await shop().until(id, 'shipped');
      const late = await cancel(id);
      expect(late.status).toBe(409);
      expect(late.body).toMatchObject({
        code: 'order-not-cancellable',
        type: 'urn:sidecart:problem:order-not-cancellable',
      });
    });

    it('when the key comes again, is byte-identical; without a key it is refused', async () => {
      const { id } = await shop().place({ paymentToken: 'tok_slow' });
      const key = uuidv7();
      const first = await cancel(id, key);
      await shop().until(id, 'cancelled');
      expect((await cancel(id, key)).text).toBe(first.text);
      expect((await shop().as('ada')({ method: 'POST', path: `/api/orders/${id}/cancellation` })).status).toBe(400);
    });
  });

  describe('an idempotency key', () => {
    const body = { items: [{ productId: '1', quantity: 1 }], paymentToken: 'tok_ok' };
    const place = (key: string, more: object = {}) =>
      shop().as('ada')({ path: '/api/orders', key, body: { ...body, ...more } });

    it('when a key comes with another body 422, without a key 400', async () => {
      const key = uuidv7();
      await place(key);
      expect(await place(key, { paymentToken: 'tok_other' })).toMatchObject({
        status: 422,
        body: { code: 'idempotency-key-reused' },
      });
      expect((await shop().as('ada')({ path: '/api/orders', body })).status).toBe(400);
    });
  });

  describe('bad input', () => {
    const persons: Record<Exclude<Who, 'forged'>, Person> = { customer: 'ada', staff: 'staff', warehouse: 'warehouse' };
    it.each(badRequests.map((bad) => ({ ...bad, ...refusedBefore[bad.name] })))(
      'when it is $name, the answer is $expect and a problem',
      async (bad) => {
        const authorization =
          bad.token === undefined
            ? {}
            : {
                authorization:
                  bad.token === 'forged' ? 'Bearer no.such.token' : await shop().bearer(persons[bad.token]),
              };
        const answer = await rawRequest(
          shop().gatewayUrl,
          bad.method,
          bad.path,
          { ...bad.headers, ...authorization },
          bad.body,
        );
        expect(answer.status).toBe(bad.expect);
        expect(answer.type).toMatch(/^application\/problem\+json/);
        expect(problem.parse(JSON.parse(answer.text))).toMatchObject({ status: bad.expect, code: bad.code });
        expect(answer.text).not.toMatch(/node:|\/services\/|at .*\.ts|dapr|postgres|select /i);
      },
    );
  });

  describe('the catalog', () => {
    it('when a product is read again, the answer comes from the cache; a write is seen at once', async () => {
      const staff = shop().as('staff');
      const created = await staff({
        path: '/api/products',
        body: { name: 'Test Lamp', category: 'home', price: { amount: 990, currency: 'EUR' } },
      });
      expect(created.status).toBe(201);
      const path = created.headers.get('location') ?? '';
      // A state store that was slow once is left alone for a moment.
      const cache = async () => (await shop().as()({ path })).headers.get('x-cache');
      await expect.poll(cache, { timeout: 10_000 }).toBe('hit');
      await staff({ method: 'PATCH', path, body: { name: 'Better Lamp' } });
      expect((await shop().as()({ path })).body).toMatchObject({ name: 'Better Lamp' });
      expect((await staff({ method: 'DELETE', path })).status).toBe(204);
      expect((await shop().as()({ path })).status).toBe(404);
    });

    it('when it is paged, every product comes once', async () => {
      const page = z.object({ items: z.array(z.object({ id: z.string() })), nextCursor: z.string().nullish() });
      const ids: string[] = [];
      let cursor: string | null | undefined;
      do {
        const answer = await shop().as()({
          path: `/api/products?limit=70${cursor == null ? '' : `&cursor=${cursor}`}`,
        });
        const { items, nextCursor } = page.parse(answer.body);
        ids.push(...items.map((item) => item.id));
        cursor = nextCursor;
      } while (cursor != null);
      expect(ids.length).toBeGreaterThanOrEqual(200);
      expect(new Set(ids).size).toBe(ids.length);
    });

    it('when goods come in or were miscounted, the stock says so', async () => {
      const ask = shop().as('warehouse');
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
        (await shop().as('ada')({ path: '/api/inventory/200/receipts', body: { warehouse: 'north', quantity: 3 } }))
          .status,
      ).toBe(403);
      expect((await shop().as()({ path: '/api/inventory/200' })).body).toMatchObject({ available: 1 });
    });
  });

  describe('the front page', () => {
    it('when asked for its health, names every service', async () => {
      const services = ['products', 'inventory', 'orders', 'payments', 'fulfillment'];
      const healthy = Object.fromEntries(services.map((name) => [name, { status: 'healthy' }]));
      // Each has a second to answer it, which a busy machine may once not give.
      await expect
        .poll(() => shop().as()({ path: '/health' }), { timeout: 20_000, interval: 1_000 })
        .toMatchObject({ status: 200, body: { status: 'healthy', services: healthy } });
      expect((await shop().as()({ path: '/' })).status).toBe(200);
      expect((await shop().as()({ path: '/openapi.json' })).body).toMatchObject({ openapi: '3.1.1' });
      expect((await shop().as('ben')({ path: '/api/orders?limit=5' })).status).toBe(200);
    });
  });
}
