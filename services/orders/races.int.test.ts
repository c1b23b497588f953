import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventType } from '../_chassis/contract.ts';
import { createTestDatabase } from '../_chassis/test-support/database.ts';
import { startTestService, type TestService } from '../_chassis/test-support/service.ts';
import { uuidv7 } from '../_chassis/uuid.ts';
import { buildApp } from './app.ts';
import { ordersContract } from './contract.ts';
import { isTerminal } from './order.ts';
import { applyEvent, type OrderRecord } from './record.ts';
import { findOrder, readEvents } from './store.ts';

// What only a database can show: inputs of one order that meet at the same moment are taken one after another.
const rounds = 12;
const customer = { sub: '1', roles: ['customer'] };
const deadlines = { placedMs: 60_000, reservedMs: 60_000, overdueMs: 60_000 };

let service: TestService<typeof ordersContract>;
beforeAll(async () => {
  const database = await createTestDatabase('orders', new URL('./migrations', import.meta.url), 10);
  service = await startTestService({
    contract: ordersContract,
    database,
    buildApp: (deps) => buildApp(deps, deadlines),
  });
  const price = { productId: '1', name: 'One', price: { amount: 100, currency: 'EUR' }, version: 1 };
  await say('products', 'product.priced', '1', price);
});
afterAll(() => service.close());

const say = (source: string, name: string, subject: string, data: object, id = uuidv7()) =>
  service.deliver({ id, source, topic: `${source}.events`, type: eventType(source, name), subject, data });
const tell = (worker: string, name: string, orderId: string, data: object = {}, id = uuidv7()) =>
  say(worker, name, orderId, { orderId, ...data }, id);
const confirm = (id: string, event?: string) =>
  tell(
    'inventory',
    'reservation.confirmed',
    id,
    { lines: [{ productId: '1', warehouse: 'north', quantity: 1 }] },
    event,
  );
const capture = (id: string, event?: string) => tell('payments', 'payment.captured', id, {}, event);
const dispatch = (id: string, event?: string) => tell('fulfillment', 'shipment.dispatched', id, {}, event);
const cancel = async (orderId: string) => (await service.as(customer)).cancelOrder({ orderId });

async function place(...before: ((id: string) => Promise<unknown>)[]): Promise<string> {
  const client = await service.as(customer);
  const placed = await client.placeOrder({ items: [{ productId: '1', quantity: 1 }], paymentToken: 'tok_ok' });
  if (placed.kind !== 'placed') throw new Error(placed.kind);
  for (const step of before) await step(placed.order.id);
  return placed.order.id;
}

/** Lets these meet for many orders, in every order of arrival, and gives the states they end in. */
async function meet(before: ((id: string) => Promise<unknown>)[], ...steps: ((id: string) => Promise<unknown>)[]) {
  const states = [];
  for (let round = 0; round < rounds; round++) {
    const id = await place(...before);
    const turned = [...steps.slice(round % steps.length), ...steps.slice(0, round % steps.length)];
    await Promise.all(turned.map((step) => step(id)));
    states.push(await checked(id));
  }
  return [...new Set(states)].sort();
}

/** An order's state, after its row, its history, its messages and its due time have been compared. */
async function checked(id: string): Promise<OrderRecord['state']> {
  const record = await findOrder(service.database, 'main', id);
  if (!record) throw new Error('no such order');
  const events = await readEvents(service.database, 'main', id);
  expect(events.reduce<OrderRecord | undefined>(applyEvent, undefined)).toEqual(record);
  const said = (await service.emitted()).filter((event) => event.subject === id).map((event) => event.type);
  expect(said.length).toBe(new Set(said).size); // each message and each fact once
  const due = await service.database.query('select state from due_work where subject = $1', [id]);
  expect(due).toEqual(isTerminal(record.state) ? [] : [{ state: record.state }]);
  const refused = await service.database.query('select cause from inbox where subject = $1 and attempts > 0', [id]);
  expect(refused).toEqual([]);
  return record.state;
}

const twice = (step: (id: string, event?: string) => Promise<unknown>) => (id: string) =>
  Promise.all([step(id, `${id}-twice`), step(id, `${id}-twice`)]);

describe('an order', () => {
  it('when a confirmation, twice, and two cancellations meet, either may be first and all fits together', async () => {
    const states = await meet([], twice(confirm), cancel, cancel);
    expect(states.every((state) => ['cancelled', 'cancelling-payment'].includes(state))).toBe(true);
  });

  it('when the money, twice, and a cancellation meet, the order waits for fulfillment or for the money', async () => {
    const states = await meet([confirm], twice(capture), cancel);
    expect(states.every((state) => ['cancelling-shipment', 'cancelling-payment'].includes(state))).toBe(true);
  });

  it('when the dispatch, twice, and a cancellation meet, it is shipped', async () => {
    expect(await meet([confirm, capture], twice(dispatch), cancel)).toEqual(['shipped']);
  });
});
