import { on, type Subscription } from '../_chassis/consumer.ts';
import { eventType } from '../_chassis/contract.ts';
import type { Advance } from './advance.ts';
import * as expected from './expectations.ts';
import { decideShipment } from './shipment.ts';
import { openFulfillment } from './store.ts';

/** What orders asks to be shipped is picked by a worker, step by step; a withdrawal stops it unless it has left. */
export function subscriptions(advance: Advance): Subscription[] {
  return [
    {
      source: 'orders',
      topic: 'fulfillment.requests',
      handlers: {
        [eventType('orders', 'shipment.requested')]: on(
          expected.shipmentRequested,
          async (tx, { orderId, lines }, { tenant }) => {
            const order = await openFulfillment(tx, tenant, orderId);
            await advance(tx, { ...order, lines }, decideShipment(order.state, 'shipment.requested'));
          },
        ),
        [eventType('orders', 'shipment.withdrawn')]: on(
          expected.shipmentWithdrawn,
          async (tx, { orderId, reason }, { tenant }) => {
            const order = await openFulfillment(tx, tenant, orderId);
            await advance(tx, order, decideShipment(order.state, 'shipment.withdrawn'), reason);
          },
        ),
      },
    },
  ];
}
