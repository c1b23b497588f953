import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startTestGateway } from './test-gateway.ts';

let gateway: Awaited<ReturnType<typeof startTestGateway>>;
beforeAll(async () => {
  gateway = await startTestGateway({ deadlineMs: 300 });
});
afterAll(() => gateway.close());
beforeEach(() => gateway.reset());

const money = (amount: number) => ({ amount, currency: 'EUR' });
const product = { id: '7', name: 'Lamp', category: 'home', price: money(100), version: 3 };
const stock = {
  productId: '7',
  available: 5,
  reserved: 1,
  warehouses: [{ warehouse: 'north', available: 5, reserved: 1 }],
};
const key = { 'idempotency-key': 'key-1' };

describe('products', () => {
  it('when read, the answer says whether it came from the cache', async () => {
    gateway.answer('products.getProduct', { kind: 'found', product, cache: 'hit' });
    const { json, headers } = await gateway.send('GET', '/api/products/7');
    expect([json, headers.get('x-cache')]).toEqual([product, 'hit']);
  });

  it('when listed with empty parameters, these count as absent', async () => {
    gateway.answer('products.listProducts', { kind: 'page', items: [product] });
    const { json } = await gateway.send('GET', '/api/products?query=&category=&limit=&cursor=');
    expect(json).toEqual({ items: [product], nextCursor: null });
    expect(gateway.asked[0]?.request).toEqual({ limit: 20 });
  });

  it('when staff add, change and retire one, a key is made where none is sent', async () => {
    gateway.answer('products.createProduct', { kind: 'created', product });
    gateway.answer('products.changeProduct', { kind: 'changed', product });
    gateway.answer('products.retireProduct', { kind: 'retired' });
    const { name, category, price } = product;
    const created = await gateway.send('POST', '/api/products', 'staff', { name, category, price });
    expect([created.status, created.headers.get('location'), created.json]).toEqual([201, '/api/products/7', product]);
    expect((await gateway.send('PATCH', '/api/products/7', 'staff', { name })).status).toBe(200);
    expect((await gateway.send('DELETE', '/api/products/7', 'staff', undefined, key)).status).toBe(204);
    const keys = gateway.asked.map((call) => call.key);
    expect(keys).toEqual([expect.stringMatching(/^[0-9a-f-]{36}$/), expect.stringMatching(/^[0-9a-f-]{36}$/), 'key-1']);
    expect(keys[0]).not.toBe(keys[1]);
  });

  it('when there is none, 404 in every way', async () => {
    for (const method of ['getProduct', 'changeProduct', 'retireProduct'])
      gateway.answer(`products.${method}`, { kind: 'not-found' });
    gateway.answer('inventory.getStock', { kind: 'not-found' });
    const all = [
      await gateway.send('GET', '/api/products/x'),
      await gateway.send('PATCH', '/api/products/x', 'staff', { name: 'y' }),
      await gateway.send('DELETE', '/api/products/x', 'staff'),
      await gateway.send('GET', '/api/inventory/x'),
      await gateway.send('POST', '/api/inventory/x/receipts', 'warehouse', { warehouse: 'north', quantity: 1 }),
    ];
    expect(all.map(({ status, json }) => [status, json['detail']])).toEqual(all.map(() => [404, 'No such product.']));
  });
});

describe('inventory', () => {
  it('when stock is read, received and adjusted, the answer is the stock', async () => {
    gateway.answer('products.getProduct', { kind: 'found', product, cache: 'miss' });
    gateway.answer('inventory.getStock', { kind: 'stock', stock });
    gateway.answer('inventory.receiveStock', { kind: 'received', stock });
    gateway.answer('inventory.adjustStock', { kind: 'adjusted', stock });
    const goods = { warehouse: 'north', quantity: 3 };
    const count = { ...goods, quantity: -1, reason: 'broken' };
    const all = [
      await gateway.send('GET', '/api/inventory/7'),
      await gateway.send('POST', '/api/inventory/7/receipts', 'warehouse', goods, key),
      await gateway.send('POST', '/api/inventory/7/adjustments', 'warehouse', count),
    ];
    expect(all.map(({ status, json }) => [status, json])).toEqual(all.map(() => [200, stock]));
    expect(gateway.asked[2]).toMatchObject({ request: { ...goods, productId: '7' }, key: 'key-1' });
  });

  it('when there is less than is taken away, 409', async () => {
    gateway.answer('products.getProduct', { kind: 'found', product, cache: 'miss' });
    gateway.answer('inventory.adjustStock', { kind: 'not-enough', available: 2 });
    const count = { warehouse: 'north', quantity: -3, reason: 'broken' };
    const { status, json } = await gateway.send('POST', '/api/inventory/7/adjustments', 'warehouse', count);
    expect([status, json]).toMatchObject([409, { code: 'not-enough-stock' }]);
  });
});
