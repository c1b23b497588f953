import { on, type Subscription } from '../_chassis/consumer.ts';
import { eventType } from '../_chassis/contract.ts';
import * as expected from './expectations.ts';
import { decideFieldNote } from './field-note.ts';
import { moveFieldNote, openFieldNote } from './store.ts';

/** Once an order has been shipped, its field note is awaited. */
export const subscriptions: Subscription[] = [
  {
    source: 'orders',
    topic: 'orders.events',
    handlers: {
      [eventType('orders', 'order.shipped')]: on(expected.orderShipped, async (tx, { orderId }, { tenant }) => {
        const decision = decideFieldNote(await openFieldNote(tx, tenant, orderId), 'order.shipped');
        if (decision.kind === 'moved') await moveFieldNote(tx, tenant, orderId, { state: decision.state });
      }),
    },
  },
];
