import { on, type EventHandler } from '../_chassis/consumer.ts';
import { eventType } from '../_chassis/contract.ts';
import type { Queryable, Transaction } from '../_chassis/database.ts';
import { ordersContract } from './contract.ts';
import * as expected from './expectations.ts';
import { toOrder } from './record.ts';
import { listOrders } from './store.ts';

const { PersonalDataCollected } = ordersContract.events;
// The largest order is some 8 KB, and a delivery takes 1 MiB.
const ordersAPart = 100;

/** Whether this person has been erased. */
export async function isErased(db: Queryable, tenant: string, userId: string): Promise<boolean> {
  const rows = await db.query('select 1 from erased_people where tenant = $1 and user_id = $2', [tenant, userId]);
  return rows.length > 0;
}

/**
 * Of a person orders knows the id alone, and keeps it: once nobody else knows whose it was, it is a pseudonym, and orders,
 * their histories and recorded answers go on referring to it.
 */
export const peopleHandlers: Readonly<Record<string, EventHandler>> = {
  [eventType('users', 'profile.erased')]: on(expected.profileErased, async (tx, { userId }, { tenant }) => {
    tx.write('insert into erased_people (tenant, user_id) values ($1, $2) on conflict do nothing', [tenant, userId]);
  }),
  [eventType('users', 'export.requested')]: on(expected.exportRequested, async (tx, request, { tenant }) => {
    if (!(await isErased(tx, tenant, request.userId))) await collect(tx, tenant, request);
  }),
};

async function collect(tx: Transaction, tenant: string, request: { exportId: string; userId: string }): Promise<void> {
  const records = await listOrders(tx, { tenant, customerId: request.userId, limit: 100_000 });
  const of = Math.max(1, Math.ceil(records.length / ordersAPart));
  for (let part = 1; part <= of; part++) {
    const orders = records.slice((part - 1) * ordersAPart, part * ordersAPart).map((record) => {
      const { customerId: _, ...order } = toOrder(record);
      return { ...order, paymentToken: record.paymentToken };
    });
    const data = { ...request, data: { part, of, orders } };
    tx.emit(PersonalDataCollected, { subject: request.exportId, tenant, data });
  }
}
