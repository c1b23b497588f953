import { z } from 'zod';
import { eventType, standardMethods, type Contract } from '../_chassis/contract.ts';

const orderId = z.string();
const topic = 'fulfillment.events';

/** Picking, packing and shipments, asked for by events alone. */
export const fulfillmentContract = {
  service: 'fulfillment',
  methods: standardMethods(['orders', 'inventory']),
  events: {
    ShipmentDispatched: {
      type: eventType('fulfillment', 'shipment.dispatched'),
      topic,
      data: z.object({
        orderId,
        lines: z
          .array(z.object({ productId: z.string(), warehouse: z.string(), quantity: z.number().int().min(1) }))
          .min(1),
      }),
    },
    ShipmentCancelled: {
      type: eventType('fulfillment', 'shipment.cancelled'),
      topic,
      data: z.object({ orderId, reason: z.string() }),
    },
  },
  consumes: { orders: ['fulfillment.requests'] },
} as const satisfies Contract;
