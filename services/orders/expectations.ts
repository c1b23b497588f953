import { z } from 'zod';
import { eventType } from '../_chassis/contract.ts';
import { money } from '../_chassis/money.ts';

const orderId = z.string();
const line = z.object({ productId: z.string(), warehouse: z.string(), quantity: z.number().int().min(1) });

/** What orders needs of the events of others; their producers' tests hold them to it. */
export const reservationConfirmed = z.object({ orderId, lines: z.array(line).min(1) });
export const reservationRefused = z.object({ orderId });
export const paymentCaptured = z.object({ orderId });
export const paymentDeclined = z.object({ orderId, reason: z.string() });
export const paymentReversed = z.object({ orderId });
export const shipmentDispatched = z.object({ orderId });
export const shipmentCancelled = z.object({ orderId });
export const productPriced = z.object({
  productId: z.string(),
  name: z.string(),
  price: money,
  version: z.number().int(),
});
export const productRetired = z.object({ productId: z.string(), version: z.number().int() });
export const profileErased = z.object({ userId: z.string() });
export const exportRequested = z.object({ exportId: z.string(), userId: z.string() });

export const expectations = {
  [eventType('inventory', 'reservation.confirmed')]: reservationConfirmed,
  [eventType('inventory', 'reservation.refused')]: reservationRefused,
  [eventType('payments', 'payment.captured')]: paymentCaptured,
  [eventType('payments', 'payment.declined')]: paymentDeclined,
  [eventType('payments', 'payment.reversed')]: paymentReversed,
  [eventType('fulfillment', 'shipment.dispatched')]: shipmentDispatched,
  [eventType('fulfillment', 'shipment.cancelled')]: shipmentCancelled,
  [eventType('products', 'product.priced')]: productPriced,
  [eventType('products', 'product.retired')]: productRetired,
  [eventType('users', 'profile.erased')]: profileErased,
  [eventType('users', 'export.requested')]: exportRequested,
};
