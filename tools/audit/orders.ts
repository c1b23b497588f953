import { isDeepStrictEqual } from 'node:util';
import { causeOf } from '../../services/_chassis/errors.ts';
import { isTerminal, orderTable, type OrderState } from '../../services/orders/order.ts';
import { applyEvent, orderEvent, type OrderRecord } from '../../services/orders/record.ts';
import type { Dossier, OrderRow } from './dossier.ts';
import type { Findings } from './findings.ts';

/** Whether a text names a state of an order. */
export const isState = (text: string): text is OrderState => text in orderTable && text !== 'none';

/** The states that are ends, by the service's own word. */
export const ends: readonly OrderState[] = Object.keys(orderTable).filter(isState).filter(isTerminal);

/** The state an order ended in; undefined for an order that is under way, or in a state that there is not. */
export function endOf({ orders: [order] }: Dossier): OrderState | undefined {
  return order && isState(order.state) && isTerminal(order.state) ? order.state : undefined;
}

/** I2 and I9: the order has ended, and its history, replayed by the service's own functions, is what its row says. */
export function checkOrder(findings: Findings, dossier: Dossier): void {
  const { id, orders, events } = dossier;
  const [order] = orders;
  if (!order) {
    if (events.length > 0) findings.wrong('I9', id, `${events.length} events, and no row in the read model`);
    return;
  }
  findings.checked('I2');
  if (orders.length > 1) findings.wrong('I2', id, `${orders.length} rows in the read model`);
  if (!isState(order.state)) findings.wrong('I2', id, `there is no state ${order.state}`);
  else if (!isTerminal(order.state)) findings.wrong('I2', id, `still ${order.state}, since version ${order.version}`);

  findings.checked('I9', events.length);
  const replayed = replay(findings, dossier);
  if (!replayed) return;
  for (const problem of differences(replayed, order)) findings.wrong('I9', id, problem);
}

function replay(findings: Findings, { id, events }: Dossier): OrderRecord | undefined {
  let record: OrderRecord | undefined;
  if (events.length === 0) findings.wrong('I9', id, 'has no events');
  for (const { key: orderId, ...event } of events) {
    const parsed = orderEvent.safeParse({ orderId, ...event });
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      findings.wrong('I9', id, `event ${event.version} is unreadable: ${issue?.path.join('.')}: ${issue?.message}`);
      return undefined;
    }
    try {
      record = applyEvent(record, parsed.data);
    } catch (error) {
      findings.wrong('I9', id, `event ${event.version}: ${causeOf(error)}`);
      return undefined;
    }
  }
  return record;
}

function differences(replayed: OrderRecord, row: OrderRow): string[] {
  const { id: _id, total, createdAt, allocation, ...rest } = replayed;
  const wanted = {
    ...rest,
    amount: total.amount,
    currency: total.currency,
    allocation: allocation ?? null,
    createdAt: createdAt.toISOString(),
  };
  const found = { ...row, createdAt: row.createdAt.toISOString() };
  return Object.entries(wanted)
    .map(([field, value]) => ({ field, value, has: found[field as keyof typeof wanted] }))
    .filter(({ value, has }) => !isDeepStrictEqual(value, has))
    .map(({ field, value, has }) => `replay gives ${field} ${shown(value)}, the read model has ${shown(has)}`);
}

/** A value short enough for a line. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 120 ? `${text.slice(0, 117)}...` : text;
}
