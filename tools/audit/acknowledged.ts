import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { order as orderAnswer, type Order } from '../../services/orders/contract.ts';
import type { Dossier, OrderRow } from './dossier.ts';
import type { Findings } from './findings.ts';
import { shown } from './orders.ts';

/** An order as a client was shown it; `key` where that answered a placement. */
export interface Told {
  readonly tenant: string;
  readonly client: string;
  readonly by: string;
  readonly key: string | undefined;
  readonly order: Order;
}

const history = z.array(z.object({ status: z.string(), at: z.string(), reason: z.string().optional() }));
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/**
 * I1, I7 and I12 of one order: whatever anybody was told of it, under a key or in the client log, it still is or was on
 * its way; it was placed under one key, whose recorded answer names it.
 */
export function checkAcknowledged(findings: Findings, dossier: Dossier, told: readonly Told[]): void {
  const { id, orders, answers } = dossier;
  const [order] = orders;
  for (const { tenant, caller, idempotencyKey, kind, order: recorded } of answers) {
    const by = `the answer under key ${shown(idempotencyKey)} of ${caller}`;
    const parsed = orderAnswer.safeParse(recorded);
    findings.checked('I1');
    if (!parsed.success) findings.wrong('I1', id, `${by} is unreadable`);
    else if (!order) findings.wrong('I1', id, `${by} names it, and it does not exist`);
    else checkTold(findings, order, { tenant, by, order: parsed.data });
    if (kind === 'placed' && order && caller !== order.customerId)
      findings.wrong('I7', id, `${by} placed it, and it is ${order.customerId}'s`);
  }
  for (const one of told) {
    findings.checked('I1');
    if (order) checkTold(findings, order, one);
    else findings.wrong('I1', id, `${one.client} was told of it (${one.by}), and it does not exist`);
  }
  checkKeys(findings, dossier, told);
}

function checkTold(findings: Findings, row: OrderRow, told: Pick<Told, 'tenant' | 'by' | 'order'>): void {
  const { tenant, by, order } = told;
  const { key: id } = row;
  findings.checked('I12');
  if (tenant !== row.tenant) findings.wrong('I12', id, `${by} told it to tenant ${tenant}, and it is ${row.tenant}'s`);
  const facts = {
    customerId: [order.customerId, row.customerId],
    total: [order.total, { amount: row.amount, currency: row.currency }],
    items: [order.items, row.items],
    createdAt: [order.createdAt, row.createdAt.toISOString()],
  };
  for (const [field, [said, is]] of Object.entries(facts)) {
    if (!isDeepStrictEqual(said, is))
      findings.wrong('I1', id, `${by} told ${field} ${shown(said)}, it is ${shown(is)}`);
  }
  const now = history.safeParse(row.history).data?.slice(0, order.history.length);
  if (!isDeepStrictEqual(order.history, now))
    findings.wrong('I1', id, `${by} told of ${order.status} at version ${order.version}, which is not in its history`);
}

function checkKeys(findings: Findings, { id, orders, answers }: Dossier, told: readonly Told[]): void {
  const placed = answers.filter(({ kind }) => kind === 'placed');
  const [order] = orders;
  if (!order) return;
  findings.checked('I7', placed.length);
  if (placed.length > 1) findings.wrong('I7', id, `${placed.length} keys placed it`);
  // Seeded orders, whose ids are short, were placed by nobody.
  if (placed.length === 0 && uuid.test(id)) findings.wrong('I7', id, 'no key placed it');
  for (const { key, client } of told) {
    if (key === undefined) continue;
    findings.checked('I7');
    if (!placed.some(({ caller, idempotencyKey }) => caller === client && idempotencyKey === key))
      findings.wrong('I7', id, `${client} placed it under key ${shown(key)}, which is not recorded with it`);
  }
}
