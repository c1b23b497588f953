import type { Bookkeeper } from './books.ts';
import type { ClientLogLine } from './client-log.ts';
import type { Invariant } from './findings.ts';

/** Damage done to copies of the books, or to what clients were told; each invariant named has to notice it. */
export interface Damage {
  readonly what: string;
  /** The id that each of them has to name, where it is known beforehand. */
  readonly names?: string;
  readonly breaks: readonly Invariant[];
  /** Statements by service; constraints that would not let the damage happen are dropped first. */
  readonly sql?: Partial<Readonly<Record<Bookkeeper, string>>>;
  readonly lines?: (lines: readonly ClientLogLine[]) => ClientLogLine[];
  readonly counts?: (counts: ReadonlyMap<string, number>) => Map<string, number>;
}

const uncheckedStock = `
  alter table stock drop constraint stock_adds_up;
  alter table stock drop constraint stock_available_check;
  alter table stock drop constraint stock_reserved_check;
  alter table stock drop constraint stock_shipped_check;`;
const manyEntries = 'alter table entries drop constraint entries_key_kind_key;';
/** The order that was played as the n-th. */
const played = (n: number) => `(select id from orders where length(id) = 36 order by created_at offset ${n} limit 1)`;

/** Order 1 is shipped, 2 rejected, 3 declined, 4 cancelled after it was paid, 5 shipped; those with long ids were played. */
export const damages: readonly Damage[] = [
  {
    what: 'a payment captured twice in the ledger of the bank',
    names: '1',
    breaks: ['I3'],
    sql: {
      bank: `${manyEntries} insert into entries (key, kind, amount, currency) values ('1', 'charge', 58700, 'EUR')`,
    },
  },
  {
    what: 'a captured payment that the bank knows nothing of',
    names: '5',
    breaks: ['I3'],
    sql: { bank: `delete from entries where key = '5'; delete from charges where key = '5'` },
  },
  {
    what: 'a charge for an order that does not exist',
    names: 'stray',
    breaks: ['I3'],
    sql: { bank: `insert into charges (key, state, amount, currency) values ('stray', 'captured', 100, 'EUR')` },
  },
  {
    what: 'a payment of another amount than the order',
    names: '1',
    breaks: ['I3'],
    sql: { payments: `update payments set amount = amount + 1 where order_id = '1'` },
  },
  {
    what: 'float rounding in a total',
    names: '1',
    breaks: ['I3'],
    sql: {
      orders: `update order_events set data = jsonb_set(data, '{total,amount}', '58699.99999999999')
                where order_id = '1' and type = 'placed'`,
    },
  },
  {
    what: 'a total that is a cent short, everywhere in orders',
    names: '1',
    breaks: ['I3'],
    sql: {
      orders: `update order_events set data = jsonb_set(data, '{total,amount}', '58699') where order_id = '1' and version = 1;
               update orders set total_amount = 58699 where id = '1'`,
    },
  },
  {
    what: 'a refund missing',
    names: '4',
    breaks: ['I6'],
    sql: {
      bank: `delete from entries where key = '4' and kind = 'refund'; update charges set state = 'captured' where key = '4'`,
    },
  },
  {
    what: 'a refund made twice',
    names: '4',
    breaks: ['I6'],
    sql: {
      bank: `${manyEntries} insert into entries (key, kind, amount, currency) values ('4', 'refund', -3200, 'EUR')`,
    },
  },
  {
    what: 'a cancelled order whose money both books kept',
    names: '4',
    breaks: ['I6'],
    sql: {
      bank: `delete from entries where key = '4' and kind = 'refund'; update charges set state = 'captured' where key = '4'`,
      payments: `update payments set state = 'captured' where order_id = '4';
                 delete from outbox where id = 'seed-4-payments.payment.reversed'`,
    },
  },
  {
    what: 'a lost reservation',
    names: '1',
    breaks: ['I4', 'I10'],
    sql: {
      inventory: `delete from reservation_lines where order_id = '1'; delete from reservations where order_id = '1'`,
    },
  },
  {
    what: 'a reservation that outlives its order',
    names: '4',
    breaks: ['I10'],
    sql: { inventory: `update reservations set state = 'reserved' where order_id = '4'` },
  },
  {
    what: 'a reservation for an order that does not exist',
    names: 'stray',
    breaks: ['I10'],
    sql: { inventory: `insert into reservations (tenant, order_id, state) values ('main', 'stray', 'refused')` },
  },
  {
    what: 'a reservation of part of a line',
    names: '1',
    breaks: ['I4'],
    sql: { inventory: `update reservation_lines set quantity = 1 where order_id = '1' and product_id = '1'` },
  },
  {
    what: 'a shelf off by one',
    names: 'product 1 north',
    breaks: ['I4'],
    sql: {
      inventory: `${uncheckedStock} update stock set available = available + 1 where product_id = '1' and warehouse = 'north'`,
    },
  },
  {
    what: 'a shelf that adds up, and is not what was moved',
    names: 'product 7 south',
    breaks: ['I4'],
    sql: {
      inventory: `update stock set available = available - 1, reserved = reserved + 1 where product_id = '7' and warehouse = 'south'`,
    },
  },
  {
    what: 'negative stock',
    names: 'product 8 north',
    breaks: ['I4'],
    sql: {
      inventory: `${uncheckedStock}
        update stock set reserved = reserved + available + 1, available = -1 where product_id = '8' and warehouse = 'north'`,
    },
  },
  {
    what: 'a dispatch booked twice',
    names: '5',
    breaks: ['I4'],
    sql: {
      inventory: `insert into movements (tenant, product_id, warehouse, kind, quantity, order_id)
                  select tenant, product_id, warehouse, kind, quantity, order_id from movements where order_id = '5' and kind = 'ship'`,
    },
  },
  {
    what: 'stock given back twice',
    names: '4',
    breaks: ['I6'],
    sql: {
      inventory: `insert into movements (tenant, product_id, warehouse, kind, quantity, order_id)
                  select tenant, product_id, warehouse, kind, quantity, order_id from movements where order_id = '4' and kind = 'release'`,
    },
  },
  {
    what: 'two shipments of an order',
    names: '1',
    breaks: ['I5'],
    sql: {
      fulfillment: `alter table shipments drop constraint shipments_order_id_key;
                    insert into shipments (id, tenant, order_id, carrier, tracking_code) values ('again', 'main', '1', 'Blue Van', 'BV1')`,
    },
  },
  {
    what: 'a shipment of a cancelled order',
    names: '4',
    breaks: ['I5'],
    sql: {
      fulfillment: `insert into shipments (id, tenant, order_id, carrier, tracking_code) values ('wrong', 'main', '4', 'Blue Van', 'BV1')`,
    },
  },
  {
    what: 'a shipped order that never left',
    names: '5',
    breaks: ['I5'],
    sql: { fulfillment: `delete from shipments where order_id = '5'` },
  },
  {
    what: 'a dispatch after the withdrawal',
    names: '1',
    breaks: ['I13'],
    sql: {
      orders: `insert into outbox (id, tenant, topic, type, subject, envelope)
               select 'late', tenant, topic, type, '1', jsonb_build_object('id', 'late', 'tenant', tenant, 'topic', topic, 'type', type,
                      'subject', '1', 'source', 'urn:sidecart:orders', 'data', '{"orderId":"1","reason":"customer"}'::jsonb)::json
                 from outbox where id = 'seed-4-orders.shipment.withdrawn'`,
      fulfillment: `insert into inbox (source, id, tenant, topic, type, subject, status, received_at)
                    select source, 'late', tenant, topic, type, '1', status, '2026-01-01T01:00:07.5Z'
                      from inbox where id = 'seed-4-orders.shipment.withdrawn'`,
    },
  },
  {
    what: 'an order in no terminal state',
    names: '1',
    breaks: ['I2'],
    sql: {
      orders: `delete from order_events where order_id = '1' and type = 'shipped';
               update orders set state = 'paid', version = 3, history = history - 3 where id = '1'`,
    },
  },
  {
    what: 'an order in a state that there is not',
    names: '5',
    breaks: ['I2', 'I9'],
    sql: { orders: `update orders set state = 'lost' where id = '5'` },
  },
  {
    what: 'an impossible transition',
    names: '5',
    breaks: ['I9'],
    sql: { orders: `update order_events set type = 'rejected', data = '{}' where order_id = '5' and version = 3` },
  },
  {
    what: 'a gap in a history',
    names: '5',
    breaks: ['I9'],
    sql: { orders: `delete from order_events where order_id = '5' and version = 2` },
  },
  {
    what: 'a read model that differs from its replay',
    names: '5',
    breaks: ['I9'],
    sql: {
      orders: `update orders set history = jsonb_set(history, '{1,at}', '"2026-01-01T00:00:00.000Z"') where id = '5'`,
    },
  },
  {
    what: 'an order without a row in the read model',
    names: '2',
    breaks: ['I9'],
    sql: { orders: `delete from orders where id = '2'` },
  },
  {
    what: 'a state change whose event is in no outbox',
    names: '1',
    breaks: ['I8'],
    sql: { orders: `delete from outbox where id = 'seed-1-orders.order.paid'` },
  },
  {
    what: 'an answer that is in an inbox and in no outbox',
    names: 'seed-1-payments.payment.captured',
    breaks: ['I8'],
    sql: { payments: `delete from outbox where id = 'seed-1-payments.payment.captured'` },
  },
  {
    what: 'a message sent twice',
    names: '1',
    breaks: ['I8'],
    sql: {
      orders: `insert into outbox (id, tenant, topic, type, subject, envelope)
               select 'again', tenant, topic, type, subject, envelope from outbox where id = 'seed-1-orders.payment.requested'`,
    },
  },
  {
    what: 'an outbox row that nobody handled',
    names: 'seed-1-fulfillment.shipment.dispatched',
    breaks: ['I8'],
    sql: { inventory: `delete from inbox where id = 'seed-1-fulfillment.shipment.dispatched'` },
  },
  {
    what: 'an inbox row that was never finished',
    names: 'seed-3-orders.payment.requested',
    breaks: ['I8'],
    sql: {
      payments: `update inbox set status = 'pending', attempts = 2, cause = 'x' where id = 'seed-3-orders.payment.requested'`,
    },
  },
  {
    what: 'a failed inbox row without a cause',
    names: 'seed-3-orders.payment.requested',
    breaks: ['I8'],
    sql: { payments: `update inbox set status = 'failed', attempts = 10 where id = 'seed-3-orders.payment.requested'` },
  },
  {
    what: 'an envelope that says otherwise than its row',
    names: 'seed-5-inventory.reservation.confirmed',
    breaks: ['I8'],
    sql: {
      inventory: `update outbox set envelope = jsonb_set(envelope::jsonb, '{subject}', '"2"')::json where subject = '5'`,
    },
  },
  {
    what: "another tenant's payment",
    names: '5',
    breaks: ['I12'],
    sql: { payments: `update payments set tenant = 'other' where order_id = '5'` },
  },
  {
    what: "an event kept as another tenant's",
    names: 'seed-1-orders.reservation.requested',
    breaks: ['I12'],
    sql: { inventory: `update inbox set tenant = 'other' where id = 'seed-1-orders.reservation.requested'` },
  },
  {
    what: 'a stale price',
    names: 'product 11',
    breaks: ['I15'],
    sql: { orders: `update prices set amount = 1200, version = 1 where product_id = '11'` },
  },
  {
    what: 'a retired product that is for sale again',
    names: 'product 15',
    breaks: ['I15'],
    sql: { orders: `update prices set retired = false where product_id = '15'` },
  },
  {
    what: 'a status told that is not the one the order has',
    names: '1',
    breaks: ['I15'],
    sql: {
      orders: `update outbox set envelope = jsonb_set(envelope::jsonb, '{data,status}', '"rejected"')::json
                where id = 'seed-1-orders.order.shipped'`,
    },
  },
  {
    what: 'a key whose answer points to another order',
    breaks: ['I7'],
    sql: {
      orders: `update idempotency_keys set answer =
                 (select answer from idempotency_keys where answer::jsonb #>> '{order,id}' = ${played(0)} and answer like '%"placed"%' limit 1)
                where answer::jsonb #>> '{order,id}' = ${played(1)}`,
    },
  },
  {
    what: 'a key that was forgotten',
    breaks: ['I7'],
    sql: { orders: `delete from idempotency_keys where key = 'key-1'` },
  },
  {
    what: 'an acknowledged order that is gone from every book',
    names: 'gone',
    breaks: ['I1'],
    lines: (lines) =>
      lines.map((line, index) => (index < 12 ? withOrder(line, (order) => ({ ...order, id: 'gone' })) : line)),
  },
  {
    what: 'an acknowledged order that orders lost',
    breaks: ['I1'],
    sql: {
      orders: `delete from order_events where order_id = ${played(0)}; delete from orders where id = ${played(0)}`,
    },
  },
  {
    what: 'a client who was told another total',
    breaks: ['I1'],
    lines: (lines) =>
      lines.map((line) => withOrder(line, (order) => ({ ...order, total: { amount: 1, currency: 'EUR' } }))),
  },
  {
    what: 'a state that a client was told, and that was taken back',
    breaks: ['I1'],
    lines: (lines) =>
      lines.map((line) =>
        withOrder(line, (order) => ({ ...order, history: [{ status: 'paid', at: '2026-02-01T08:00:00.000Z' }] })),
      ),
  },
  {
    what: 'a repeated key answered with other bytes',
    breaks: ['I7'],
    lines: (lines) =>
      lines.map((line, index) => (index === lastPlacement(lines) ? { ...line, bodyHash: 'other' } : line)),
  },
  {
    what: 'a repeated key that made another order',
    breaks: ['I7'],
    lines: (lines) =>
      lines.map((line) => (line.status === 201 ? { ...line, key: 'one key for all', requestHash: 'same' } : line)),
  },
  {
    what: 'a read that does not see the write before it',
    breaks: ['I11'],
    lines: (lines) =>
      lines.map((line) =>
        line.method === 'GET' && isObject(line.body) ? { ...line, body: { ...line.body, version: 1 } } : line,
      ),
  },
  {
    what: 'a read that does not find what was written',
    breaks: ['I11'],
    lines: (lines) => lines.map((line) => (line.method === 'GET' ? { ...line, status: 404, body: {} } : line)),
  },
  {
    what: "an order shown to another tenant's client",
    breaks: ['I12'],
    lines: (lines) => lines.map((line) => (line.method === 'GET' ? { ...line, tenant: 'other' } : line)),
  },
  {
    what: 'an effect that was done twice',
    names: '1',
    breaks: ['I14'],
    counts: (counts) => new Map([...counts, ['1', 5]]),
  },
];

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

function withOrder(line: ClientLogLine, change: (order: object) => object): ClientLogLine {
  const isOrder = line.path.startsWith('/api/orders') && line.status < 300 && isObject(line.body);
  return isOrder && isObject(line.body) ? { ...line, body: change(line.body) } : line;
}

const lastPlacement = (lines: readonly ClientLogLine[]) => lines.findLastIndex(({ status }) => status === 201);
