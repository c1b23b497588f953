import { z } from 'zod';
import { eventType } from '../_chassis/contract.ts';

/** What field-notes needs of what orders tells; orders' tests hold it to this. */
export const orderShipped = z.object({ orderId: z.string().min(1) });

export const expectations = { [eventType('orders', 'order.shipped')]: orderShipped };
