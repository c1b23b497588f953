import type { ClientBase } from 'pg';
import { eventSource, eventType } from '../_chassis/contract.ts';
import { ordersContract } from './contract.ts';
import { applyEvent, type OrderEvent, type OrderRecord } from './record.ts';

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
      { event: 'declined', data: { reason: 'declined' } },
      sent('reservation.withdrawn', { reason: 'declined' }),
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
const short = (type: string) => type.replace(/^com\.sidecart\.|\.v1$/g, '');
const definitions = Object.values(ordersContract.events);

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
  let record: OrderRecord | undefined;
  for (const [index, step] of all.entries()) {
    const at = new Date(start + index * 1_000);
    if ('event' in step) {
      const version: number = (record?.version ?? 0) + 1;
      const event = { tenant, orderId: id, version, at, type: step.event, data: step.data ?? {} } as OrderEvent;
      record = applyEvent(record, event);
      await client.query(
        'insert into order_events (tenant, order_id, version, type, data, at) values ($1, $2, $3, $4, $5, $6)',
        [tenant, id, version, event.type, JSON.stringify(event.data), at],
      );
      const status = record.history.at(-1)?.status;
      await outbox(client, id, eventType('orders', `order.${event.type}`), at, { orderId: id, status, version });
    } else if ('sent' in step) {
      await outbox(client, id, eventType('orders', step.sent), at, { orderId: id, ...step.data });
    } else {
      await client.query(
        `insert into inbox (source, id, tenant, topic, type, subject, status, received_at) values ($1, $2, $3, $4, $5, $6, 'handled', $7)`,
        [
          eventSource(step.topic.replace('.events', '')),
          `seed-${id}-${short(step.answered)}`,
          tenant,
          step.topic,
          step.answered,
          id,
          at,
        ],
      );
    }
  }
  if (!record) return;
  await client.query(
    `insert into orders (tenant, id, customer_id, state, version, items, total_amount, currency, payment_token, allocation, history, created_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
    [
      tenant,
      id,
      customerId,
      record.state,
      record.version,
      JSON.stringify(items),
      total.amount,
      total.currency,
      paymentToken,
      record.allocation ? JSON.stringify(record.allocation) : null,
      JSON.stringify(record.history),
      record.createdAt,
    ],
  );
}

async function outbox(client: ClientBase, orderId: string, type: string, at: Date, data: object): Promise<void> {
  const topic = definitions.find((definition) => definition.type === type)?.topic;
  if (topic === undefined) throw new Error(`${type} is not in the contract`);
  const id = `seed-${orderId}-${short(type)}`;
  const envelope = {
    specversion: '1.0',
    id,
    source: eventSource('orders'),
    type,
    subject: orderId,
    tenant,
    time: at.toISOString(),
    topic,
    data,
  };
  await client.query(
    `insert into outbox (id, tenant, topic, type, subject, envelope, created_at) values ($1, $2, $3, $4, $5, $6, $7)`,
    [id, tenant, topic, type, orderId, JSON.stringify(envelope), at],
  );
}
