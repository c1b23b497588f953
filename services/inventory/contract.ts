import { z } from 'zod';
import { eventType, standardMethods, type Contract } from '../_chassis/contract.ts';

const productId = z.string().min(1).max(64);
/** Goods are booked only under an id that a product can have. */
const bookable = z.object({ productId: z.string().regex(/^[\w.-]{1,64}$/) });
const quantity = z.number().int().min(1).max(1_000_000);

/** The places that hold stock. */
export const warehouse = z.enum(['north', 'south']);

/** What there is of a product; `available` can be sold, `reserved` belongs to orders that are not shipped yet. */
export const stock = z.object({
  productId,
  available: z.number().int(),
  reserved: z.number().int(),
  warehouses: z.array(z.object({ warehouse, available: z.number().int(), reserved: z.number().int() })),
});

/** Goods that came in. */
export const receipt = z.strictObject({ warehouse, quantity });

/** A correction after counting; negative when something is missing. */
export const adjustment = z.strictObject({
  warehouse,
  quantity: z
    .number()
    .int()
    .min(-1_000_000)
    .max(1_000_000)
    .refine((n) => n !== 0, 'must not be 0'),
  reason: z
    .string()
    .trim()
    .regex(/^[^\p{Cc}\p{Cs}]{1,200}$/u),
});

const allocated = z.object({ productId, warehouse, quantity });
const write = { reads: false, callers: ['gateway'] } as const;

/** Warehouses, stock, reservations and the ledger of movements. */
export const inventoryContract = {
  service: 'inventory',
  methods: {
    ...standardMethods(['orders']),
    getStock: {
      reads: true,
      callers: ['gateway'],
      request: z.object({ productId }),
      response: z.discriminatedUnion('kind', [
        z.object({ kind: z.literal('stock'), stock }),
        z.object({ kind: z.literal('not-found') }),
      ]),
    },
    receiveStock: {
      ...write,
      request: receipt.extend(bookable.shape),
      response: z.discriminatedUnion('kind', [z.object({ kind: z.literal('received'), stock })]),
    },
    adjustStock: {
      ...write,
      request: adjustment.extend(bookable.shape),
      response: z.discriminatedUnion('kind', [
        z.object({ kind: z.literal('adjusted'), stock }),
        z.object({ kind: z.literal('not-enough'), available: z.number().int() }),
      ]),
    },
  },
  events: {
    ReservationConfirmed: {
      type: eventType('inventory', 'reservation.confirmed'),
      topic: 'inventory.events',
      data: z.object({ orderId: z.string(), lines: z.array(allocated).min(1) }),
    },
    ReservationRefused: {
      type: eventType('inventory', 'reservation.refused'),
      topic: 'inventory.events',
      data: z.object({
        orderId: z.string(),
        missing: z.array(z.object({ productId, requested: quantity, available: z.number().int() })).min(1),
      }),
    },
  },
  consumes: { orders: ['inventory.requests'], fulfillment: ['fulfillment.events'] },
} as const satisfies Contract;
