import { z } from 'zod';
import type { Queryable, Transaction } from '../_chassis/database.ts';
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
 * Appends events to an order and writes the row that their fold gives. A version that is there already is a conflict, and
 * the whole transaction is done again.
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
  tx.write(
    `insert into order_events (tenant, order_id, version, type, data, at)
     select tenant, "orderId", version, type, data, at
       from jsonb_to_recordset($1::jsonb)
         as e (tenant text, "orderId" text, version integer, type text, data jsonb, at timestamptz)`,
    [JSON.stringify(rows)],
  );
  const { allocation, history } = record;
  if (before) {
    tx.write(
      `update orders set state = $3, version = $4, allocation = $5, history = $6 where tenant = $1 and id = $2`,
      [
        record.tenant,
        record.id,
        record.state,
        record.version,
        allocation ? JSON.stringify(allocation) : null,
        JSON.stringify(history),
      ],
    );
  } else {
    tx.write(`insert into orders (${columns}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`, [
      record.tenant,
      record.id,
      record.customerId,
      record.state,
      record.version,
      JSON.stringify(record.items),
      record.total.amount,
      record.total.currency,
      record.paymentToken,
      allocation ? JSON.stringify(allocation) : null,
      JSON.stringify(history),
      record.createdAt,
    ]);
  }
  return record;
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
  return db.query<{ state: string; count: number }>(
    `select state, count(*)::int as count from orders
      where state not in ('shipped', 'rejected', 'payment-failed', 'cancelled') group by state`,
  );
}
