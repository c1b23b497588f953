import { on, type Subscription } from '../_chassis/consumer.ts';
import { eventType } from '../_chassis/contract.ts';
import type { Transaction } from '../_chassis/database.ts';
import * as expected from './expectations.ts';
import { peopleHandlers } from './people.ts';
import { priceHandlers } from './prices.ts';
import type { OrderRecord } from './record.ts';
import type { Saga } from './saga.ts';
import { lockOrder } from './store.ts';

/** What the workers answer moves an order on; what the catalog says goes into our own price list. */
export function subscriptions(saga: Saga): Subscription[] {
  return [
    {
      source: 'inventory',
      topic: 'inventory.events',
      handlers: {
        [eventType('inventory', 'reservation.confirmed')]: on(
          expected.reservationConfirmed,
          async (tx, data, event) => {
            saga.advance(tx, await theOrder(tx, event.tenant, data.orderId), 'reservation.confirmed', {
              lines: data.lines,
            });
          },
        ),
        [eventType('inventory', 'reservation.refused')]: on(expected.reservationRefused, async (tx, data, event) => {
          saga.advance(tx, await theOrder(tx, event.tenant, data.orderId), 'reservation.refused', {
            reason: 'out-of-stock',
          });
        }),
      },
    },
    {
      source: 'payments',
      topic: 'payments.events',
      handlers: {
        [eventType('payments', 'payment.captured')]: on(expected.paymentCaptured, async (tx, data, event) => {
          saga.advance(tx, await theOrder(tx, event.tenant, data.orderId), 'payment.captured');
        }),
        [eventType('payments', 'payment.declined')]: on(expected.paymentDeclined, async (tx, data, event) => {
          saga.advance(tx, await theOrder(tx, event.tenant, data.orderId), 'payment.declined', {
            reason: data.reason,
          });
        }),
        [eventType('payments', 'payment.reversed')]: on(expected.paymentReversed, async (tx, data, event) => {
          saga.advance(tx, await theOrder(tx, event.tenant, data.orderId), 'payment.reversed');
        }),
      },
    },
    {
      source: 'fulfillment',
      topic: 'fulfillment.events',
      handlers: {
        [eventType('fulfillment', 'shipment.dispatched')]: on(expected.shipmentDispatched, async (tx, data, event) => {
          saga.advance(tx, await theOrder(tx, event.tenant, data.orderId), 'shipment.dispatched');
        }),
        [eventType('fulfillment', 'shipment.cancelled')]: on(expected.shipmentCancelled, async (tx, data, event) => {
          const order = await theOrder(tx, event.tenant, data.orderId);
          saga.advance(tx, order, 'shipment.cancelled', order.state === 'paid' ? { reason: 'cannot-be-shipped' } : {});
        }),
      },
    },
    {
      source: 'products',
      topic: 'products.events',
      handlers: priceHandlers(),
    },
    {
      source: 'users',
      topic: 'users.events',
      handlers: peopleHandlers,
    },
  ];
}

/** An answer about an order that was never placed is a defect of whoever sent it, and ends as a dead letter. */
async function theOrder(tx: Transaction, tenant: string, id: string): Promise<OrderRecord> {
  const record = await lockOrder(tx, tenant, id);
  if (!record) throw new Error(`there is no order ${id}`);
  return record;
}
