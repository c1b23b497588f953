import { z } from 'zod';
import { eventType } from '../_chassis/contract.ts';

const orderId = z.string().min(1);
const line = z.object({ productId: z.string(), warehouse: z.string(), quantity: z.number().int().min(1) });

/** What fulfillment needs of what orders asks; orders' tests hold it to this. */
export const shipmentRequested = z.object({ orderId, lines: z.array(line).min(1) });
export const shipmentWithdrawn = z.object({ orderId, reason: z.string() });

export const expectations = {
  [eventType('orders', 'shipment.requested')]: shipmentRequested,
  [eventType('orders', 'shipment.withdrawn')]: shipmentWithdrawn,
};
