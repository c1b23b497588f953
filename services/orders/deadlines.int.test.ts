import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { eventType } from '../_chassis/contract.ts';
import { createTestDatabase } from '../_chassis/test-support/database.ts';
import { startTestService, type TestService } from '../_chassis/test-support/service.ts';
import { buildApp } from './app.ts';
import { ordersContract } from './contract.ts';

let service: TestService<typeof ordersContract>;
beforeAll(async () => {
  const database = await createTestDatabase('orders', new URL('./migrations', import.meta.url));
  service = await startTestService({
    contract: ordersContract,
    database,
    buildApp: (deps) => buildApp(deps, { placedMs: 2_000, reservedMs: 100, overdueMs: 100 }),
    workers: true,
  });
  await service.deliver({
    source: 'products',
    topic: 'products.events',
    type: eventType('products', 'product.priced'),
    subject: '1',
    data: { productId: '1', name: 'One', price: { amount: 100, currency: 'EUR' }, version: 1 },
  });
});
afterAll(() => service.close());

const place = async () => {
  const placed = await (
    await service.as({ sub: '1', roles: ['customer'] })
  ).placeOrder({ items: [{ productId: '1', quantity: 1 }], paymentToken: 'tok_ok' });
  if (placed.kind !== 'placed') throw new Error(placed.kind);
  return placed.order.id;
};
const historyOf = async (orderId: string) => {
  const found = await (await service.as({ sub: '1', roles: ['customer'] })).getOrder({ orderId });
  if (found.kind !== 'found') throw new Error(found.kind);
  return found.order.history.map(({ status, reason }) => ({ status, reason }));
};

describe('deadlines', () => {
  it('when inventory does not answer in time, the order is cancelled', async () => {
    const id = await place();
    await vi.waitFor(async () => expect(await historyOf(id)).toHaveLength(3), 10_000);
    expect((await historyOf(id)).slice(1)).toEqual([
      { status: 'cancelling', reason: 'no-answer-in-time' },
      { status: 'cancelled', reason: 'no-answer-in-time' },
    ]);
  });

  it('when the payment does not come in time, the stock is freed and the order waits for the money, however long', async () => {
    const id = await place();
    const lines = [{ productId: '1', warehouse: 'north', quantity: 1 }];
    const type = eventType('inventory', 'reservation.confirmed');
    await service.deliver({
      source: 'inventory',
      topic: 'inventory.events',
      type,
      subject: id,
      data: { orderId: id, lines },
    });
    await vi.waitFor(async () => expect(await historyOf(id)).toHaveLength(3), 10_000);
    expect((await historyOf(id)).at(-1)).toEqual({ status: 'cancelling', reason: 'payment-not-in-time' });
    // What it then waits for is certain to come: the deadline only tells.
    await vi.waitFor(
      async () =>
        expect(await service.metrics.registry.metrics()).toMatch(/overdue_total\{state="cancelling-payment".*1$/m),
      10_000,
    );
    expect(await historyOf(id)).toHaveLength(3);
    const due = () => service.database.query('select 1 from due_work where subject = $1', [id]);
    await vi.waitFor(async () => expect(await due()).toHaveLength(0), 10_000);
  });
});
