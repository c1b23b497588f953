import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DependencyError } from '../_chassis/errors.ts';
import { sendRaw } from '../_e2e/raw-http.ts';
import { startTestGateway } from './test-gateway.ts';

let gateway: Awaited<ReturnType<typeof startTestGateway>>;
beforeAll(async () => {
  gateway = await startTestGateway({ deadlineMs: 300 });
});
afterAll(() => gateway.close());
beforeEach(() => gateway.reset());

const money = (amount: number) => ({ amount, currency: 'EUR' });
const at = '2026-01-01T00:00:00.000Z';
const order = {
  id: 'o/1',
  status: 'placed',
  customerId: '1',
  items: [{ productId: '1', name: 'Espresso Machine Lina', quantity: 2, unitPrice: money(24_900) }],
  total: money(49_800),
  version: 1,
  createdAt: at,
  history: [{ status: 'placed', at }],
};
const newOrder = { items: [{ productId: '1', quantity: 2 }], paymentToken: 'tok_ok' };
const key = { 'idempotency-key': 'key-1' };
const place = (headers: Record<string, string> = key) =>
  gateway.send('POST', '/api/orders', 'customer', newOrder, headers);
const cancel = (body?: unknown) => gateway.send('POST', '/api/orders/o%2F1/cancellation', 'customer', body, key);

describe('placeOrder', () => {
  it('when it is placed, the answer is 201 with Location and exactly the order', async () => {
    gateway.answer('orders.placeOrder', { kind: 'placed', order: { secret: 'inner', ...order } });
    const first = await place();
    expect([first.status, first.headers.get('location')]).toEqual([201, '/api/orders/o%2F1']);
    expect(first.text).toBe(JSON.stringify(order));
    expect((await place()).text).toBe(first.text);
    expect(gateway.asked[0]).toMatchObject({ request: newOrder, key: 'key-1' });
  });

  it('when the key is quoted, it is the same key', async () => {
    gateway.answer('orders.placeOrder', { kind: 'placed', order });
    for (const sent of ['a "b" \\c', '"a \\"b\\" \\\\c"']) await place({ 'idempotency-key': sent });
    expect(gateway.asked.map((call) => call.key)).toEqual(['a "b" \\c', 'a "b" \\c']);
  });

  it.each([
    ['key-reused', 422, 'idempotency-key-reused', null],
    ['in-progress', 409, 'idempotency-key-in-progress', '1'],
    ['forbidden', 403, 'forbidden', null],
    ['unauthenticated', 401, 'unauthenticated', null],
    ['deadline-passed', 503, 'deadline-passed', '1'],
    ['overloaded', 503, 'overloaded', '3'],
  ])('when the service says %s, the answer is %i %s', async (kind, status, code, retryAfter) => {
    gateway.answer('orders.placeOrder', { kind, retryAfterMs: 2_100 });
    const answer = await place();
    expect([answer.status, answer.json['code'], answer.headers.get('retry-after')]).toEqual([status, code, retryAfter]);
    expect(answer.headers.has('www-authenticate')).toBe(status === 401);
  });

  it('when products are unknown, the answer points at their items', async () => {
    gateway.answer('orders.placeOrder', { kind: 'unknown-products', productIds: ['b'] });
    const items = ['a', 'b'].map((productId) => ({ productId, quantity: 1 }));
    const { status, json } = await gateway.send('POST', '/api/orders', 'customer', { ...newOrder, items }, key);
    const errors = [{ pointer: '/items/1/productId', detail: 'unknown product' }];
    expect([status, json]).toMatchObject([422, { code: 'unknown-products', errors }]);
  });

  it.each(['unreachable', 'breaker-open', 'failed', 'deadline'] as const)(
    'when the call fails as %s, 503',
    async (reason) => {
      gateway.answer('orders.placeOrder', () => {
        throw new DependencyError('orders', reason, { detail: 'secret' });
      });
      const { status, json, headers } = await place();
      expect([status, headers.get('retry-after')]).toEqual([503, '1']);
      expect(json['code']).toBe(reason === 'deadline' ? 'deadline-passed' : 'dependency-unavailable');
      expect(json['detail']).not.toContain('secret');
    },
  );

  it('when the token has run out, 401 comes before anything else', async () => {
    const { status, headers } = await gateway.send('POST', '/api/orders', 'expired', 'nonsense');
    expect([status, headers.get('www-authenticate')]).toEqual([401, 'Bearer realm="sidecart", error="invalid_token"']);
    expect(gateway.asked).toEqual([]);
  });
});

describe('a body that is refused before it is through', () => {
  it('when it goes on, the client has a second to read the answer, and then the connection ends', async () => {
    const head = 'POST /api/orders HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n{';
    const started = performance.now();
    expect((await sendRaw(gateway.port, head, { untilClosed: true })).status).toBe(401);
    expect(performance.now() - started).toBeGreaterThan(900);
    expect(performance.now() - started).toBeLessThan(8_000);
  });
});

describe('orders', () => {
  it('when there is one, it is shown, also to nobody in particular', async () => {
    const history = [...order.history, { status: 'cancelled', at, reason: 'customer' }];
    gateway.answer('orders.getOrder', { kind: 'found', order: { ...order, history } });
    const { status, json } = await gateway.send('GET', '/api/orders/1');
    expect([status, json['history']]).toEqual([200, history]);
  });

  it('when there is none for this caller, 404', async () => {
    gateway.answer('orders.getOrder', { kind: 'not-found' });
    for (const who of [undefined, 'customer'] as const) {
      expect((await gateway.send('GET', '/api/orders/x', who)).status).toBe(404);
    }
  });

  it('when listed, parameters are read and the page is rendered', async () => {
    gateway.answer('orders.listOrders', { kind: 'page', items: [order], nextCursor: 'abc' });
    const { json } = await gateway.send('GET', '/api/orders?status=shipped&limit=100&cursor=x', 'customer');
    expect(json).toEqual({ items: [order], nextCursor: 'abc' });
    expect(gateway.asked[0]?.request).toEqual({ status: 'shipped', limit: 100, cursor: 'x' });
  });

  it.each([undefined, '', {}])('when cancelled with body %j, the answer is the order', async (body) => {
    gateway.answer('orders.cancelOrder', { kind: 'cancelled', order: { ...order, status: 'cancelling' } });
    const { status, json } = await cancel(body);
    expect([status, json['status']]).toEqual([200, 'cancelling']);
    expect(gateway.asked[0]).toMatchObject({ request: { orderId: 'o/1' }, key: 'key-1' });
  });

  it('when it can no longer be cancelled, 409; when there is none, 404', async () => {
    gateway.answer('orders.cancelOrder', { kind: 'not-cancellable', status: 'shipped' });
    expect((await cancel()).json).toMatchObject({
      status: 409,
      code: 'order-not-cancellable',
      detail: 'It is shipped.',
    });
    gateway.answer('orders.cancelOrder', { kind: 'not-found' });
    expect((await cancel()).status).toBe(404);
  });
});
