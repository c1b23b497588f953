import { on, type Subscription } from '../_chassis/consumer.ts';
import { eventType } from '../_chassis/contract.ts';
import type { Advance } from './advance.ts';
import * as expected from './expectations.ts';
import { decidePayment } from './payment.ts';
import { openPayment } from './store.ts';

/** What orders asks for becomes an intent, which a worker takes to the bank; a withdrawal stops it or turns it round. */
export function subscriptions(advance: Advance): Subscription[] {
  return [
    {
      source: 'orders',
      topic: 'payments.requests',
      handlers: {
        [eventType('orders', 'payment.requested')]: on(
          expected.paymentRequested,
          async (tx, { orderId, amount, paymentToken: token }, { tenant }) => {
            const payment = await openPayment(tx, tenant, orderId);
            const asked = { ...payment, charge: { amount, token } };
            await advance(tx, asked, decidePayment(payment.state, 'payment.requested'));
          },
        ),
        [eventType('orders', 'payment.withdrawn')]: on(
          expected.paymentWithdrawn,
          async (tx, { orderId }, { tenant }) => {
            const payment = await openPayment(tx, tenant, orderId);
            await advance(tx, payment, decidePayment(payment.state, 'payment.withdrawn'));
          },
        ),
      },
    },
  ];
}
