import type { ClientBase } from 'pg';
import { eventType } from '../_chassis/contract.ts';
import { seedInbox, seedOutbox, type PastEvent } from '../_chassis/seeding.ts';
import { ordersContract } from './contract.ts';
import { applyEvent, orderEvent, type OrderEvent, type OrderRecord } from './record.ts';
import { appendEvents } from './store.ts';

// Orders 1 to 5, one in each terminal state and one more shipped, with every message that went to and fro: what the
// other services seed fits to it by the ids `seed-<order>-<type>`.
type Step =
  { event: OrderEvent['type']; data?: object } | { sent: string; data: object } | { answered: string; topic: string };

const money = (amount: number) => ({ amount, currency: 'EUR' });
const sent = (name: string, data: object = {}): Step => ({ sent: name, data });
const answered = (service: string, name: string): Step => ({
  answered: eventType(service, name),
  topic: `${service}.events`,
});

interface Seeded {
  readonly id: string;
  readonly customerId: string;
  readonly paymentToken: string;
  readonly items: { productId: string; name: string; quantity: number; unitPrice: ReturnType<typeof money> }[];
  readonly warehouse: string;
  readonly steps: (order: { lines: object[]; total: ReturnType<typeof money>; paymentToken: string }) => Step[];
}

const item = (productId: string, name: string, quantity: number, amount: number) => ({
  productId,
  name,
  quantity,
  unitPrice: money(amount),
});

const untilPaid: Seeded['steps'] = ({ lines, total, paymentToken }) => [
  answered('inventory', 'reservation.confirmed'),
  { event: 'reserved', data: { lines } },
  sent('payment.requested', { amount: total, paymentToken }),
  answered('payments', 'payment.captured'),
  { event: 'paid' },
  sent('shipment.requested', { lines }),
];
const untilShipped: Seeded['steps'] = (order) => [
  ...untilPaid(order),
  answered('fulfillment', 'shipment.dispatched'),
  { event: 'shipped' },
];

const seeded: readonly Seeded[] = [
  {
    id: '1',
    customerId: '1',
    paymentToken: 'tok_ok',
    items: [item('1', 'Espresso Machine Lina', 2, 24_900), item('2', 'Burr Grinder Moka', 1, 8_900)],
    warehouse: 'north',
    steps: untilShipped,
  },
  {
    id: '2',
    customerId: '1',
    paymentToken: 'tok_ok',
    items: [item('3', 'Enamel Kettle 1.2 l', 100, 3_900)],
    warehouse: 'north',
    steps: () => [
      answered('inventory', 'reservation.refused'),
      { event: 'rejected', data: { reason: 'out-of-stock' } },
    ],
  },
  {
    id: '3',
    customerId: '2',
    paymentToken: 'tok_declined',
    items: [item('4', 'Oak Cutting Board', 1, 4_500)],
    warehouse: 'north',
    steps: ({ lines, total, paymentToken }) => [
      answered('inventory', 'reservation.confirmed'),
      { event: 'reserved', data: { lines } },
      sent('payment.requested', { amount: total, paymentToken }),
      answered('payments', 'payment.declined'),
      { event: 'declined', data: { reason: 'insufficient funds' } },
      sent('reservation.withdrawn', { reason: 'insufficient funds' }),
    ],
  },
  {
    id: '4',
    customerId: '2',
    paymentToken: 'tok_ok',
    items: [item('5', 'Linen Apron', 1, 3_200)],
    warehouse: 'north',
    steps: (order) => [
      ...untilPaid(order),
      { event: 'withdrawn', data: { reason: 'customer' } },
      sent('shipment.withdrawn', { reason: 'customer' }),
      answered('fulfillment', 'shipment.cancelled'),
      { event: 'stopped' },
      sent('payment.withdrawn', { reason: 'customer' }),
      sent('reservation.withdrawn', { reason: 'customer' }),
      answered('payments', 'payment.reversed'),
      { event: 'cancelled' },
    ],
  },
  {
    id: '5',
    customerId: '2',
    paymentToken: 'tok_ok',
    items: [item('6', 'Wool Blanket Fjord', 1, 7_900)],
    warehouse: 'south',
    steps: untilShipped,
  },
];

const tenant = 'main';
const topics = new Map(Object.values(ordersContract.events).map((event) => [event.type, event.topic]));

/** Puts the seeded orders in, once; safe to run again. */
export async function seed(client: ClientBase): Promise<void> {
  const known = await client.query(`select 1 from orders where id = '1'`);
  if (known.rowCount !== 0) return;
  await client.query('begin');
  for (const order of seeded) await seedOrder(client, order);
  await client.query('commit');
}

async function seedOrder(
  client: ClientBase,
  { id, customerId, paymentToken, items, warehouse, steps }: Seeded,
): Promise<void> {
  const start = Date.parse('2026-01-01T00:00:00Z') + Number(id) * 3_600_000;
  const total = money(items.reduce((sum, line) => sum + line.quantity * line.unitPrice.amount, 0));
  const wanted = items.map(({ productId, quantity }) => ({ productId, quantity }));
  const lines = wanted.map((line) => ({ ...line, warehouse }));
  const all: Step[] = [
    { event: 'placed', data: { customerId, items, total, paymentToken } },
    sent('reservation.requested', { lines: wanted }),
    ...steps({ lines, total, paymentToken }),
  ];
  const events: OrderEvent[] = [];
  const said: PastEvent[] = [];
  const heard: PastEvent[] = [];
  const past = (service: string, type: string, topic: string, at: Date, data?: object): PastEvent => {
    const name = type.replace(/^com\.sidecart\.|\.v1$/g, '');
    return { id: `seed-${id}-${name}`, service, type, topic, subject: id, tenant, at, data: { orderId: id, ...data } };
  };
  const say = (name: string, at: Date, data: object) => {
    const type = eventType('orders', name);
    said.push(past('orders', type, topics.get(type) ?? '', at, data));
  };
  let record: OrderRecord | undefined;
  for (const [index, step] of all.entries()) {
    const at = new Date(start + index * 1_000);
    if ('sent' in step) {
      say(step.sent, at, step.data);
    } else if ('answered' in step) {
      heard.push(past(step.topic.replace('.events', ''), step.answered, step.topic, at));
    } else {
      const version = events.length + 1;
      const event = orderEvent.parse({ tenant, orderId: id, version, at, type: step.event, data: step.data ?? {} });
      record = applyEvent(record, event);
      events.push(event);
      say(`order.${event.type}`, at, { status: record.history.at(-1)?.status, version });
    }
  }
  const statements: [string, unknown[]][] = [];
  appendEvents({ write: (sql, values = []) => void statements.push([sql, [...values]]) }, undefined, events);
  for (const [sql, values] of statements) await client.query(sql, values);
  await seedOutbox(client, said);
  await seedInbox(client, heard);
}
