import { z } from 'zod';
import { on, type Subscription } from '../../_chassis/consumer.ts';
import { ordersContract } from '../../orders/contract.ts';
import { countVersion } from './store.ts';

const moved = z.object({ orderId: z.string(), version: z.number().int() });
const count = on(moved, (tx, { orderId, version }, { tenant }) => countVersion(tx, { tenant, orderId, version }));
const topic = 'orders.events';
const types = Object.values(ordersContract.events).flatMap((event) => (event.topic === topic ? [event.type] : []));

/** Every move of an order is counted. */
export const subscriptions: readonly Subscription[] = [
  { source: 'orders', topic, handlers: Object.fromEntries(types.map((type) => [type, count])) },
];
