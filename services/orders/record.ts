import { z } from 'zod';
import type { Order } from './contract.ts';
import { evolveOrder, orderStatus, type OrderState } from './order.ts';
import { money } from '../_chassis/money.ts';

const allocated = z.array(z.object({ productId: z.string(), warehouse: z.string(), quantity: z.number().int() }));
const items = z.array(
  z.object({ productId: z.string(), name: z.string(), quantity: z.number().int(), unitPrice: money }),
);

/** An event as `order_events` keeps it; only `placed` and `reserved` say more than why. */
export const orderEvent = z.intersection(
  z.object({ tenant: z.string(), orderId: z.string(), version: z.number().int(), at: z.date() }),
  z.discriminatedUnion('type', [
    z.object({
      type: z.literal('placed'),
      data: z.object({ customerId: z.string(), items, total: money, paymentToken: z.string() }),
    }),
    z.object({ type: z.literal('reserved'), data: z.object({ lines: allocated }) }),
    z.object({
      type: z.enum(['paid', 'shipped', 'rejected', 'declined', 'withdrawn', 'stopped', 'cancelled']),
      data: z.object({ reason: z.string().optional() }),
    }),
  ]),
);
export type OrderEvent = z.infer<typeof orderEvent>;
export type AllocatedLines = z.infer<typeof allocated>;

/** Everything known about an order: the fold of its events. */
export interface OrderRecord {
  readonly tenant: string;
  readonly id: string;
  readonly customerId: string;
  readonly state: OrderState;
  readonly version: number;
  readonly items: Order['items'];
  readonly total: Order['total'];
  readonly paymentToken: string;
  readonly allocation: AllocatedLines | undefined;
  readonly createdAt: Date;
  readonly history: Order['history'];
}

/** The record after one more event; replaying all of an order's events gives its record. Throws on a gap. */
export function applyEvent(record: OrderRecord | undefined, event: OrderEvent): OrderRecord {
  if (event.version !== (record?.version ?? 0) + 1)
    throw new Error(`order ${event.orderId}: version ${event.version} does not follow`);
  const state = evolveOrder(record?.state ?? 'none', event.type);
  const before = record ?? blank(event);
  const reason = 'reason' in event.data ? event.data.reason : undefined;
  const move = { status: orderStatus(state), at: event.at.toISOString(), ...(reason !== undefined && { reason }) };
  return {
    ...before,
    state,
    version: event.version,
    allocation: event.type === 'reserved' ? event.data.lines : before.allocation,
    history: [...before.history, move],
  };
}

function blank(event: OrderEvent): OrderRecord {
  if (event.type !== 'placed') throw new Error(`order ${event.orderId} begins with ${event.type}`);
  const { tenant, orderId: id, at: createdAt, data } = event;
  return { tenant, id, ...data, state: 'placed', version: 0, allocation: undefined, createdAt, history: [] };
}

/** An order as callers see it. */
export const toOrder = (record: OrderRecord): Order => ({
  id: record.id,
  status: orderStatus(record.state),
  customerId: record.customerId,
  items: record.items,
  total: record.total,
  version: record.version,
  createdAt: record.createdAt.toISOString(),
  history: record.history,
});
