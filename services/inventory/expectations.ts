import { z } from 'zod';
import { eventType } from '../_chassis/contract.ts';

const orderId = z.string().min(1);

/** What inventory needs of the events of others; their producers' tests hold them to it. */
export const reservationRequested = z.object({
  orderId,
  lines: z.array(z.object({ productId: z.string().min(1), quantity: z.number().int().min(1) })).min(1),
});
export const reservationWithdrawn = z.object({ orderId });
/** What was shipped are the reservation's own lines. */
export const shipmentDispatched = z.object({ orderId });

export const expectations = {
  [eventType('orders', 'reservation.requested')]: reservationRequested,
  [eventType('orders', 'reservation.withdrawn')]: reservationWithdrawn,
  [eventType('fulfillment', 'shipment.dispatched')]: shipmentDispatched,
};
