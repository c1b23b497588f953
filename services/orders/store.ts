import { z } from 'zod';
import type { Queryable, Transaction } from '../_chassis/database.ts';
import type { Key } from '../_chassis/projection.ts';
import { order } from './contract.ts';
import type { OrderState, OrderStatus } from './order.ts';
import { applyEvent, orderEvent, type OrderEvent, type OrderRecord } from './record.ts';

const columns = `tenant, id, customer_id, state, version, items, total_amount, currency, payment_token, allocation, history, created_at`;

const states = [
  'placed',
  'reserved',
  'paid',
  'shipped',
  'rejected',
  'payment-failed',
  'cancelling-shipment',
  'cancelling-payment',
  'cancelled',
] as const satisfies readonly OrderState[];
const orderRow = z
  .object({
    tenant: z.string(),
    id: z.string(),
    customer_id: z.string(),
    state: z.enum(states),
    version: z.number(),
    items: order.shape.items,
    total_amount: z.coerce.number(),
    currency: z.string(),
    payment_token: z.string(),
    allocation: z.array(z.object({ productId: z.string(), warehouse: z.string(), quantity: z.number() })).nullable(),
    history: order.shape.history,
    created_at: z.date(),
  })
  .transform((row): OrderRecord => ({
    tenant: row.tenant,
    id: row.id,
    customerId: row.customer_id,
    state: row.state,
    version: row.version,
    items: row.items,
    total: { amount: row.total_amount, currency: row.currency },
    paymentToken: row.payment_token,
    allocation: row.allocation ?? undefined,
    createdAt: row.created_at,
    history: row.history,
  }));

/** The order, locked until the transaction ends; undefined when there is none. */
export async function lockOrder(tx: Transaction, tenant: string, id: string): Promise<OrderRecord | undefined> {
  const [row] = await tx.query(`select ${columns} from orders where tenant = $1 and id = $2 for update`, [tenant, id]);
  return row && orderRow.parse(row);
}

/** The order as last committed. */
export async function findOrder(db: Queryable, tenant: string, id: string): Promise<OrderRecord | undefined> {
  const [row] = await db.query(`select ${columns} from orders where tenant = $1 and id = $2`, [tenant, id]);
  return row && orderRow.parse(row);
}

/** Orders newest first, from just behind a position; `customerId` and `status` narrow them. */
export async function listOrders(
  db: Queryable,
  page: {
    tenant: string;
    customerId?: string | undefined;
    status?: OrderStatus | undefined;
    after?: { createdAt: string; id: string } | undefined;
    limit: number;
  },
): Promise<OrderRecord[]> {
  const rows = await db.query(
    `select ${columns} from orders
      where tenant = $1 and ($2::text is null or customer_id = $2)
        and ($3::text is null or state = $3 or ($3 = 'cancelling' and state like 'cancelling-%'))
        and ($4::timestamptz is null or (created_at, id) < ($4, $5))
      order by created_at desc, id desc limit $6`,
    [
      page.tenant,
      page.customerId ?? null,
      page.status ?? null,
      page.after?.createdAt ?? null,
      page.after?.id ?? null,
      page.limit,
    ],
  );
  return rows.map((row) => orderRow.parse(row));
}

/**
 * Appends events to an order and writes the row that their fold gives, in one statement. A version that is there already
 * is a conflict, and the whole transaction is done again.
 */
export function appendEvents(
  tx: Pick<Transaction, 'write'>,
  before: OrderRecord | undefined,
  events: readonly OrderEvent[],
): OrderRecord {
  const record = events.reduce<OrderRecord | undefined>(applyEvent, before);
  if (!record) throw new Error('no events to append');
  const rows = events.map(({ tenant, orderId, version, type, data, at }) => ({
    tenant,
    orderId,
    version,
    type,
    data,
    at,
  }));
  const [sql, values] = before ? updateOf(record) : insertOf([record]);
  tx.write(
    `with appended as (
       insert into order_events (tenant, order_id, version, type, data, at)
       select tenant, "orderId", version, type, data, at
         from jsonb_to_recordset($${values.length + 1}::jsonb)
           as e (tenant text, "orderId" text, version integer, type text, data jsonb, at timestamptz))
     ${sql}`,
    [...values, JSON.stringify(rows)],
  );
  return record;
}

/** A record as its row: what each column of the read model holds of it, as the driver takes it. */
const toRow = (record: OrderRecord) => ({
  tenant: record.tenant,
  id: record.id,
  customer_id: record.customerId,
  state: record.state,
  version: record.version,
  items: JSON.stringify(record.items),
  total_amount: record.total.amount,
  currency: record.total.currency,
  payment_token: record.paymentToken,
  allocation: record.allocation ? JSON.stringify(record.allocation) : null,
  history: JSON.stringify(record.history),
  created_at: record.createdAt,
});

type Statement = readonly [sql: string, values: readonly unknown[]];

/** Puts new rows into the read model, or into the table that will take its place. */
function insertOf(records: readonly OrderRecord[], table = 'orders'): Statement {
  const rows = records.map(toRow);
  const names = Object.keys(rows[0] ?? {});
  const places = rows.map((_, row) => `(${names.map((_, name) => `$${row * names.length + name + 1}`).join(', ')})`);
  const values = rows.flatMap((row): unknown[] => Object.values(row));
  return [`insert into ${table} (${names.join(', ')}) values ${places.join(', ')}`, values];
}

/** Writes every column, so that a row of old gets what a changed projection adds. */
function updateOf(record: OrderRecord): Statement {
  const { tenant, id, ...changed } = toRow(record);
  const columns = Object.keys(changed).map((name, index) => `${name} = $${index + 3}`);
  const values = [tenant, id, ...Object.values(changed)];
  return [`update orders set ${columns.join(', ')} where tenant = $1 and id = $2`, values];
}

/** Puts the rows that the histories of these orders make into a table that has none of them; gives the number of events. */
export async function replayOrders(db: Queryable, keys: readonly Key[], table: string): Promise<number> {
  const rows = await db.query(
    `select tenant, order_id as "orderId", version, type, data, at
       from order_events join jsonb_to_recordset($1) as k (tenant text, id text) using (tenant)
      where order_id = k.id order by tenant, order_id, version`,
    [JSON.stringify(keys)],
  );
  const records = new Map<string, OrderRecord>();
  for (const row of rows) {
    const event = orderEvent.parse(row);
    const key = JSON.stringify([event.tenant, event.orderId]);
    records.set(key, applyEvent(records.get(key), event));
  }
  if (records.size > 0) await db.query(...insertOf([...records.values()], table));
  return rows.length;
}

/** An order's history, oldest first. */
export async function readEvents(db: Queryable, tenant: string, orderId: string): Promise<OrderEvent[]> {
  const rows = await db.query(
    `select tenant, order_id as "orderId", version, type, data, at from order_events
      where tenant = $1 and order_id = $2 order by version`,
    [tenant, orderId],
  );
  return rows.map((row) => orderEvent.parse(row));
}

/** How many orders are in each state that is not an end. */
export async function countOpen(db: Queryable): Promise<{ state: string; count: number }[]> {
  return db.query<{ state: string; count: number }>('select state, count from count_open_orders()');
}
