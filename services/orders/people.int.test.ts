import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventType } from '../_chassis/contract.ts';
import { createTestDatabase } from '../_chassis/test-support/database.ts';
import { startTestService, type TestService } from '../_chassis/test-support/service.ts';
import { uuidv7 } from '../_chassis/uuid.ts';
import { disappointedBy } from '../_e2e/expectations.ts';
import { buildApp } from './app.ts';
import { ordersContract } from './contract.ts';
import { applyEvent, type OrderRecord } from './record.ts';
import { findOrder, readEvents } from './store.ts';

let service: TestService<typeof ordersContract>;
beforeAll(async () => {
  service = await startTestService({
    contract: ordersContract,
    database: await createTestDatabase('orders', new URL('./migrations', import.meta.url)),
    buildApp: (deps) => buildApp(deps, { placedMs: 60_000, reservedMs: 60_000, overdueMs: 60_000 }),
    budget: 2,
  });
  for (const tenant of ['main', 'acme'])
    await deliver('products', 'product.priced', '1', {
      data: { productId: '1', name: 'Lamp', price: { amount: 100, currency: 'EUR' }, version: 1 },
      tenant,
    });
});
afterAll(() => service.close());

const deliver = (source: string, name: string, subject: string, more: { data: object; tenant?: string; id?: string }) =>
  service.deliver({ source, topic: `${source}.events`, type: eventType(source, name), subject, ...more });
const erase = (userId: string, id = uuidv7(), tenant = 'main') =>
  deliver('users', 'profile.erased', userId, { data: { userId }, id, tenant });
const request = (exportId: string, userId: string, id = uuidv7(), tenant = 'main') =>
  deliver('users', 'export.requested', exportId, { data: { exportId, userId }, id, tenant });

async function place(sub: string, tenant = 'main') {
  const client = await service.as({ sub, roles: ['customer'], tenant });
  return client.placeOrder({ items: [{ productId: '1', quantity: 1 }], paymentToken: 'tok_ok' });
}
async function placed(sub: string, tenant = 'main') {
  const answer = await place(sub, tenant);
  if (answer.kind !== 'placed') throw new Error(answer.kind);
  return answer.order;
}
const collected = async (exportId: string) =>
  (await service.emitted())
    .filter(({ subject }) => subject === exportId)
    .map(({ topic, tenant, data }) => ({
      topic,
      tenant,
      ...(data as { data: { part: number; of: number; orders: { id: string }[] } }),
    }));

describe('an erased person', () => {
  it('when orders hears of it, twice, his orders stay, go on and replay; new ones are refused, in that tenant', async () => {
    const order = await placed('gone');
    const id = uuidv7();
    for (let n = 0; n < 2; n++) expect(await erase('gone', id)).toBe('SUCCESS');
    await erase('gone');
    expect(await place('gone')).toEqual({ kind: 'unauthenticated' });
    expect(await place('gone', 'acme')).toMatchObject({ kind: 'placed' });

    const lines = [{ productId: '1', warehouse: 'north', quantity: 1 }];
    await deliver('inventory', 'reservation.confirmed', order.id, { data: { orderId: order.id, lines } });
    const record = await findOrder(service.database, 'main', order.id);
    expect(record).toMatchObject({ state: 'reserved', customerId: 'gone' });
    const history = await readEvents(service.database, 'main', order.id);
    expect(history.reduce<OrderRecord | undefined>(applyEvent, undefined)).toEqual(record);
  });

  it('when an export was asked for before and comes after, nothing is answered', async () => {
    await placed('late');
    await erase('late');
    const exportId = uuidv7();
    expect(await request(exportId, 'late')).toBe('SUCCESS');
    expect(await collected(exportId)).toEqual([]);
  });
});

describe('an export', () => {
  it('when asked for, twice, the answer is the orders of this person in this tenant, once', async () => {
    const [mine, other] = [await placed('eva'), await placed('eva', 'acme')];
    await placed('another');
    const [exportId, id] = [uuidv7(), uuidv7()];
    for (let n = 0; n < 2; n++) await request(exportId, 'eva', id);
    const answers = await collected(exportId);
    expect(answers).toMatchObject([
      { topic: 'orders.personal-data', tenant: 'main', data: { part: 1, of: 1, orders: [{ id: mine.id }] } },
    ]);
    expect(JSON.stringify(answers)).not.toContain(other.id);
    const made = (await service.emitted()).map(({ type, data }) => ({ name: type, value: data }));
    expect((await disappointedBy(made)).disappointments).toEqual([]);
  });

  it('when there are more than one event holds, they come in parts; when there are none, that is said', async () => {
    for (let n = 0; n < 101; n++) await placed('many');
    const [exportId, empty] = [uuidv7(), uuidv7()];
    await request(exportId, 'many');
    await request(empty, 'nobody');
    const parts = await collected(exportId);
    expect(parts.map(({ data }) => [data.part, data.of, data.orders.length])).toEqual([
      [1, 2, 100],
      [2, 2, 1],
    ]);
    expect(new Set(parts.flatMap(({ data }) => data.orders.map((order) => order.id))).size).toBe(101);
    expect(await collected(empty)).toMatchObject([{ data: { of: 1, orders: [] } }]);
  });

  it('when it names nobody, it ends as a dead letter', async () => {
    const id = uuidv7();
    const told = [];
    for (let n = 0; n < 2; n++) told.push(await deliver('users', 'profile.erased', 'x', { data: {}, id }));
    expect(told).toEqual(['RETRY', 'SUCCESS']);
    expect(await service.database.query('select status from inbox where id = $1', [id])).toEqual([
      { status: 'failed' },
    ]);
  });
});
