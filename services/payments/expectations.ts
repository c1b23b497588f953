import { z } from 'zod';
import { eventType } from '../_chassis/contract.ts';
import { money } from '../_chassis/money.ts';

const orderId = z.string().min(1);

/** What payments needs of what orders asks; orders' tests hold it to this. */
export const paymentRequested = z.object({ orderId, amount: money, paymentToken: z.string() });
export const paymentWithdrawn = z.object({ orderId });

export const expectations = {
  [eventType('orders', 'payment.requested')]: paymentRequested,
  [eventType('orders', 'payment.withdrawn')]: paymentWithdrawn,
};

const reason = z.string().optional();

/** What payments needs of the bank's answers: only `none` of a question by key is not a result. */
export const charged = z.object({ status: z.enum(['captured', 'declined', 'voided', 'refunded']), reason });
export const found = z.object({ status: z.enum(['none', 'captured', 'declined', 'voided', 'refunded']), reason });
export const reversed = z.object({ status: z.enum(['refunded', 'voided', 'declined']), reason });

export const answers = { 'bank.charge': charged, 'bank.get': found, 'bank.reverse': reversed };
