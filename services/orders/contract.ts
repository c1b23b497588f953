import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { eventType, standardMethods, type Contract } from '../_chassis/contract.ts';
import { money } from '../_chassis/money.ts';

const orderId = z.string().min(1).max(64);
const productId = z.string().min(1).max(64);
const paymentToken = z.string().regex(/^[a-zA-Z0-9_]{1,64}$/);

/** What the world sees of where an order is. */
export const orderStatus = z.enum([
  'placed',
  'reserved',
  'paid',
  'shipped',
  'rejected',
  'payment-failed',
  'cancelling',
  'cancelled',
]);

const move = z.object({ status: orderStatus, at: z.string(), reason: z.string().optional() });

/** An order with its history; prices are those of the moment it was placed. */
export const order = z.object({
  id: orderId,
  status: orderStatus,
  customerId: z.string(),
  items: z.array(z.object({ productId, name: z.string(), quantity: z.number().int(), unitPrice: money })),
  total: money,
  version: z.number().int(),
  createdAt: z.string(),
  history: z.array(move),
});
export type Order = z.infer<typeof order>;

/** What is kept of an order for its customer: the order, and the bank's name for the means of payment. */
const kept = order.omit({ customerId: true }).extend({ paymentToken: z.string() });

/** What a customer asks for: each product once, 1 to 50 lines of 1 to 100. */
export const newOrder = z.strictObject({
  items: z
    .array(z.strictObject({ productId, quantity: z.number().int().min(1).max(100) }))
    .min(1)
    .max(50)
    .refine((items) => new Set(items.map((item) => item.productId)).size === items.length, 'each product only once'),
  paymentToken,
});

const notFound = z.object({ kind: z.literal('not-found') });
const write = { reads: false, callers: ['gateway'] } as const;
const read = { reads: true, callers: ['gateway'] } as const;

const lines = z.array(z.object({ productId, quantity: z.number().int().min(1) })).min(1);
const request = (worker: string, name: string) => ({ type: eventType('orders', name), topic: `${worker}.requests` });
const fact = (name: string, status: z.infer<typeof orderStatus>) => ({
  type: eventType('orders', `order.${name}`),
  topic: 'orders.events',
  data: z.object({ orderId, status: z.literal(status), version: z.number().int().min(1) }),
});
const withdrawal = z.object({ orderId, reason: z.string() });

/** Orders: placed, followed through the mesh, cancelled. Speaks gRPC only. */
export const ordersContract = {
  service: 'orders',
  proto: { file: fileURLToPath(new URL('./orders.proto', import.meta.url)), service: 'sidecart.orders.v1.Orders' },
  methods: {
    ...standardMethods(['inventory', 'payments', 'fulfillment', 'users']),
    placeOrder: {
      ...write,
      request: newOrder,
      response: z.discriminatedUnion('kind', [
        z.object({ kind: z.literal('placed'), order }),
        z.object({ kind: z.literal('unknown-products'), productIds: z.array(z.string()) }),
      ]),
    },
    getOrder: {
      ...read,
      request: z.object({ orderId }),
      response: z.discriminatedUnion('kind', [z.object({ kind: z.literal('found'), order }), notFound]),
    },
    /**
     * Every move of an order behind a version, each once and in order; `ended` follows the last one there can be, and
     * `following` says that there is none yet. A stream that ends without `ended` can be resumed behind its last move.
     */
    followOrder: {
      ...read,
      streams: true,
      request: z.object({ orderId, afterVersion: z.number().int().min(0) }),
      response: z.discriminatedUnion('kind', [
        z.object({ kind: z.literal('moved'), orderId, version: z.number().int(), ...move.shape }),
        z.object({ kind: z.literal('following') }),
        z.object({ kind: z.literal('ended') }),
        notFound,
      ]),
    },
    listOrders: {
      ...read,
      request: z.object({
        status: orderStatus.optional(),
        limit: z.number().int().min(1).max(100),
        cursor: z.string().max(500).optional(),
      }),
      response: z.discriminatedUnion('kind', [
        z.object({ kind: z.literal('page'), items: z.array(order), nextCursor: z.string().optional() }),
        z.object({ kind: z.literal('bad-cursor') }),
      ]),
    },
    cancelOrder: {
      ...write,
      request: z.object({ orderId }),
      response: z.discriminatedUnion('kind', [
        z.object({ kind: z.literal('cancelled'), order }),
        z.object({ kind: z.literal('not-cancellable'), status: orderStatus }),
        notFound,
      ]),
    },
  },
  events: {
    ReservationRequested: { ...request('inventory', 'reservation.requested'), data: z.object({ orderId, lines }) },
    ReservationWithdrawn: { ...request('inventory', 'reservation.withdrawn'), data: withdrawal },
    PaymentRequested: {
      ...request('payments', 'payment.requested'),
      data: z.object({ orderId, amount: money, paymentToken }),
    },
    PaymentWithdrawn: { ...request('payments', 'payment.withdrawn'), data: withdrawal },
    ShipmentRequested: {
      ...request('fulfillment', 'shipment.requested'),
      data: z.object({
        orderId,
        lines: z.array(z.object({ productId, warehouse: z.string(), quantity: z.number().int().min(1) })).min(1),
      }),
    },
    ShipmentWithdrawn: { ...request('fulfillment', 'shipment.withdrawn'), data: withdrawal },
    OrderPlaced: fact('placed', 'placed'),
    OrderReserved: fact('reserved', 'reserved'),
    OrderPaid: fact('paid', 'paid'),
    OrderShipped: fact('shipped', 'shipped'),
    OrderRejected: fact('rejected', 'rejected'),
    OrderDeclined: fact('declined', 'payment-failed'),
    OrderWithdrawn: fact('withdrawn', 'cancelling'),
    ShipmentStopped: fact('stopped', 'cancelling'),
    OrderCancelled: fact('cancelled', 'cancelled'),
    /** What is kept of a person, in as many events as its size asks for. Of its own topic: few want it, and those no orders. */
    PersonalDataCollected: {
      type: eventType('orders', 'personal-data.collected'),
      topic: 'orders.personal-data',
      data: z.object({
        exportId: z.string(),
        userId: z.string(),
        data: z.object({ part: z.number().int(), of: z.number().int(), orders: z.array(kept) }),
      }),
    },
  },
  consumes: {
    inventory: ['inventory.events'],
    payments: ['payments.events'],
    fulfillment: ['fulfillment.events'],
    products: ['products.events'],
    users: ['users.events'],
  },
} as const satisfies Contract;
