import { z } from 'zod';
import type { Books } from './books.ts';
import { mergeByKey, type Pages } from './merge.ts';

// Rows are read as what they say, not as what they should say: what is wrong with them is for the checks to name. So
// JSON stays unknown here, and a state may be any text.
const keyed = { key: z.string(), tenant: z.string() };
const integer = z.coerce.number();

const orderRow = z.object({
  ...keyed,
  customerId: z.string(),
  state: z.string(),
  version: z.number(),
  items: z.unknown(),
  amount: integer,
  currency: z.string(),
  paymentToken: z.string(),
  allocation: z.unknown(),
  history: z.unknown(),
  createdAt: z.date(),
});
const eventRow = z.object({ ...keyed, version: z.number(), type: z.string(), data: z.unknown(), at: z.date() });
const saidRow = z.object({
  ...keyed,
  topic: z.string(),
  /** Without `com.sidecart.` and the version: `orders.payment.requested`. */
  name: z.string(),
  data: z.unknown(),
  at: z.date(),
});
const answerRow = z.object({
  ...keyed,
  caller: z.string(),
  idempotencyKey: z.string(),
  kind: z.string(),
  order: z.unknown(),
});
const stateRow = z.object({ ...keyed, state: z.string() });
const lineRow = z.object({ ...keyed, productId: z.string(), warehouse: z.string(), quantity: integer });
const movementRow = lineRow.extend({ kind: z.string() });
const paymentRow = stateRow.extend({ amount: z.coerce.number().nullable(), currency: z.string().nullable() });
const chargeRow = paymentRow.omit({ tenant: true });
const entryRow = z.object({ key: z.string(), kind: z.string(), amount: integer, currency: z.string() });
const fulfillmentRow = stateRow.extend({ lines: z.unknown(), updatedAt: z.date(), touchedBy: z.array(z.string()) });
const shipmentRow = z.object({ ...keyed, shipment: z.string() });
const withdrawalRow = z.object({ ...keyed, receivedAt: z.date(), handledBy: z.string() });

export type OrderRow = z.infer<typeof orderRow>;
export type EventRow = z.infer<typeof eventRow>;
export type SaidRow = z.infer<typeof saidRow>;
export type AnswerRow = z.infer<typeof answerRow>;
export type EntryRow = z.infer<typeof entryRow>;
export type LineRow = z.infer<typeof lineRow>;
export type PaymentRow = z.infer<typeof paymentRow>;
export type ChargeRow = z.infer<typeof chargeRow>;

/**
 * What all books say of one order. Whatever a table's constraints promise, every part is a list: that there is at most
 * one is for the checks to see.
 */
export type Dossier = { readonly id: string } & {
  readonly [Part in keyof ReturnType<typeof streams>]: ReturnType<typeof streams>[Part] extends Pages<infer Row>
    ? readonly Row[]
    : never;
};

/** Walks the dossiers of all orders that any book knows of, by order id. */
export async function* dossiers(books: Books): AsyncGenerator<Dossier> {
  for await (const { key, rows } of mergeByKey(streams(books))) yield { id: key, ...rows };
}

function streams(books: Books) {
  const { orders, inventory, payments, fulfillment, bank } = books;
  return {
    orders: orders.pages(
      orderRow,
      `select id collate "C" as key, tenant, customer_id as "customerId", state, version, items, total_amount as amount,
              currency, payment_token as "paymentToken", allocation, history, created_at as "createdAt"
         from orders order by 1`,
    ),
    events: orders.pages(
      eventRow,
      `select order_id collate "C" as key, tenant, version, type, data, at from order_events order by 1, version`,
    ),
    /** What clients were told under a key, where that was an order. */
    answers: orders.pages(
      answerRow,
      `select (answer::jsonb #>> '{order,id}') collate "C" as key, tenant, caller, key as "idempotencyKey",
              answer::jsonb ->> 'kind' as kind, answer::jsonb -> 'order' as order
         from idempotency_keys where answer::jsonb #>> '{order,id}' is not null order by 1`,
    ),
    saidByOrders: orders.pages(saidRow, said),
    saidByInventory: inventory.pages(saidRow, said),
    saidByPayments: payments.pages(saidRow, said),
    saidByFulfillment: fulfillment.pages(saidRow, said),
    reservations: inventory.pages(
      stateRow,
      `select order_id collate "C" as key, tenant, state from reservations order by 1`,
    ),
    lines: inventory.pages(
      lineRow,
      `select order_id collate "C" as key, tenant, product_id as "productId", warehouse, quantity
         from reservation_lines order by 1`,
    ),
    movements: inventory.pages(
      movementRow,
      `select order_id collate "C" as key, tenant, product_id as "productId", warehouse, quantity, kind
         from movements where order_id is not null order by 1, position`,
    ),
    payments: payments.pages(
      paymentRow,
      `select order_id collate "C" as key, tenant, state, amount, currency from payments order by 1`,
    ),
    charges: bank.pages(chargeRow, `select key collate "C" as key, state, amount, currency from charges order by 1`),
    entries: bank.pages(entryRow, `select key collate "C" as key, kind, amount, currency from entries order by 1, id`),
    /** With the transactions that wrote and that last locked the row. */
    fulfillments: fulfillment.pages(
      fulfillmentRow,
      `select order_id collate "C" as key, tenant, state, lines, updated_at as "updatedAt",
              array[xmin::text, xmax::text] as "touchedBy"
         from fulfillments order by 1`,
    ),
    shipments: fulfillment.pages(
      shipmentRow,
      `select order_id collate "C" as key, tenant, id as shipment from shipments order by 1, id`,
    ),
    /** When, and in which transaction, fulfillment handled a withdrawal. */
    withdrawals: fulfillment.pages(
      withdrawalRow,
      `select subject collate "C" as key, tenant, received_at as "receivedAt", xmin::text as "handledBy"
         from inbox where type = 'com.sidecart.orders.shipment.withdrawn.v1' and status = 'handled' order by 1`,
    ),
  };
}

const said = `
  select subject collate "C" as key, tenant, topic, regexp_replace(type, '^com\\.sidecart\\.|\\.v\\d+$', '', 'g') as name,
         envelope -> 'data' as data, created_at as at
    from outbox where topic not in ('products.events', 'orders.personal-data') order by 1, position`;
