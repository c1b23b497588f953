import { z } from 'zod';
import type { Queryable, Transaction } from '../_chassis/database.ts';
import type { Money } from '../_chassis/money.ts';
import type { PaymentState } from './payment.ts';

/** The payment of one order; a tombstone was never asked for an amount. */
export interface Payment {
  readonly tenant: string;
  readonly orderId: string;
  readonly state: PaymentState;
  readonly charge: { readonly amount: Money; readonly token: string } | undefined;
}

const states = [
  'none',
  'charging-unsent',
  'charging-sent',
  'captured',
  'declined',
  'reversing',
  'refunded',
  'voided',
] as const satisfies readonly PaymentState[];

const columns = 'tenant, order_id, state, amount, currency, payment_token';
const paymentRow = z
  .object({
    tenant: z.string(),
    order_id: z.string(),
    state: z.enum(states),
    amount: z.coerce.number().nullable(),
    currency: z.string().nullable(),
    payment_token: z.string().nullable(),
  })
  .transform(({ tenant, order_id, state, amount, currency, payment_token }): Payment => ({
    tenant,
    orderId: order_id,
    state,
    charge:
      amount === null || currency === null || payment_token === null
        ? undefined
        : { amount: { amount, currency }, token: payment_token },
  }));

/** Locks the order's payment until the transaction ends; undefined where this tenant has none. */
export async function lockPayment(tx: Transaction, tenant: string, orderId: string): Promise<Payment | undefined> {
  const [row] = await tx.query(`select ${columns} from payments where tenant = $1 and order_id = $2 for update`, [
    tenant,
    orderId,
  ]);
  return row && paymentRow.parse(row);
}

/** Makes sure the order has a payment, and locks it; throws where the order is another tenant's. */
export async function openPayment(tx: Transaction, tenant: string, orderId: string): Promise<Payment> {
  const [row] = await tx.query(
    `insert into payments (tenant, order_id) values ($1, $2)
     on conflict (order_id) do update set state = payments.state where payments.tenant = $1
     returning ${columns}`,
    [tenant, orderId],
  );
  if (!row) throw new Error(`order ${orderId} belongs to another tenant`);
  return paymentRow.parse(row);
}

/** Moves a locked payment on, and writes down its charge; throws where it is not in the state that it was read in. */
export async function movePayment(tx: Transaction, from: Payment, state: PaymentState): Promise<Payment> {
  const { amount, token } = from.charge ?? {};
  const moved = await tx.query(
    `update payments
        set state = $4, amount = $5, currency = $6, payment_token = $7, updated_at = clock_timestamp()
      where tenant = $1 and order_id = $2 and state = $3 returning 1`,
    [from.tenant, from.orderId, from.state, state, amount?.amount, amount?.currency, token],
  );
  if (moved.length === 0) throw new Error(`the payment of ${from.orderId} is no longer ${from.state}`);
  return { ...from, state };
}

/** How many payments have a question for the bank, by state. */
export async function countOpen(db: Queryable): Promise<{ state: string; count: number }[]> {
  return db.query<{ state: string; count: number }>('select state, count from count_open_payments()');
}
