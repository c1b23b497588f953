import { z } from 'zod';
import { eventType, standardMethods, type Contract } from '../_chassis/contract.ts';
import { money } from '../_chassis/money.ts';

const orderId = z.string();
const topic = 'payments.events';

/** Charges, captures and refunds, asked for by events alone. */
export const paymentsContract = {
  service: 'payments',
  methods: standardMethods(['orders']),
  events: {
    PaymentCaptured: {
      type: eventType('payments', 'payment.captured'),
      topic,
      data: z.object({ orderId, amount: money }),
    },
    PaymentDeclined: {
      type: eventType('payments', 'payment.declined'),
      topic,
      data: z.object({ orderId, reason: z.string() }),
    },
    PaymentReversed: {
      type: eventType('payments', 'payment.reversed'),
      topic,
      data: z.object({ orderId, outcome: z.enum(['voided', 'refunded', 'declined']) }),
    },
  },
  consumes: { orders: ['payments.requests'] },
} as const satisfies Contract;
