import { z } from 'zod';

// What the gateway reads of other services' answers, and nothing else; their tests hold their real answers against it.

const money = z.object({ amount: z.number(), currency: z.string() });

const product = z.object({
  id: z.string(),
  name: z.string(),
  category: z.string(),
  price: money,
  version: z.number(),
});
export type SeenProduct = z.infer<typeof product>;

const stock = z.object({
  productId: z.string(),
  available: z.number(),
  reserved: z.number(),
  warehouses: z.array(z.object({ warehouse: z.string(), available: z.number(), reserved: z.number() })),
});
export type SeenStock = z.infer<typeof stock>;

const order = z.object({
  id: z.string(),
  status: z.string(),
  customerId: z.string(),
  items: z.array(z.object({ productId: z.string(), name: z.string(), quantity: z.number(), unitPrice: money })),
  total: money,
  version: z.number(),
  createdAt: z.string(),
  history: z.array(z.object({ status: z.string(), at: z.string(), reason: z.string().optional() })),
});
export type SeenOrder = z.infer<typeof order>;

const kind = <K extends string>(name: K) => z.object({ kind: z.literal(name) });
const refusals = [
  kind('overloaded').extend({ retryAfterMs: z.number() }),
  kind('deadline-passed'),
  kind('unauthenticated'),
  kind('forbidden'),
] as const;
const keyRefusals = [kind('key-reused'), kind('in-progress')] as const;
const page = <Item extends z.ZodType>(item: Item) =>
  kind('page').extend({ items: z.array(item), nextCursor: z.string().optional() });
const read = <Answers extends readonly z.core.$ZodTypeDiscriminable[]>(...answers: Answers) =>
  z.discriminatedUnion('kind', [...refusals, ...answers]);
const write = <Answers extends readonly z.core.$ZodTypeDiscriminable[]>(...answers: Answers) =>
  z.discriminatedUnion('kind', [...refusals, ...keyRefusals, ...answers]);
const health = read(kind('health').extend({ status: z.enum(['healthy', 'unhealthy']) }));

/** By `<service>.<method>`: every kind of answer the gateway knows what to make of, with the fields it needs. */
export const answers = {
  'products.listProducts': read(page(product), kind('bad-cursor')),
  'products.getProduct': read(kind('found').extend({ product, cache: z.enum(['hit', 'miss']) }), kind('not-found')),
  'products.createProduct': write(kind('created').extend({ product })),
  'products.changeProduct': write(kind('changed').extend({ product }), kind('not-found')),
  'products.retireProduct': write(kind('retired'), kind('not-found')),
  'inventory.getStock': read(kind('stock').extend({ stock }), kind('not-found')),
  'inventory.receiveStock': write(kind('received').extend({ stock })),
  'inventory.adjustStock': write(
    kind('adjusted').extend({ stock }),
    kind('not-enough').extend({ available: z.number() }),
  ),
  'orders.placeOrder': write(
    kind('placed').extend({ order }),
    kind('unknown-products').extend({ productIds: z.array(z.string()) }),
  ),
  'orders.getOrder': read(kind('found').extend({ order }), kind('not-found')),
  'orders.followOrder': read(
    kind('moved').extend({
      orderId: z.string(),
      version: z.number(),
      status: z.string(),
      at: z.string(),
      reason: z.string().optional(),
    }),
    kind('following'),
    kind('ended'),
    kind('not-found'),
  ),
  'orders.listOrders': read(page(order), kind('bad-cursor')),
  'orders.cancelOrder': write(
    kind('cancelled').extend({ order }),
    kind('not-cancellable').extend({ status: z.string() }),
    kind('not-found'),
  ),
  'products.getHealth': health,
  'inventory.getHealth': health,
  'orders.getHealth': health,
  'payments.getHealth': health,
  'fulfillment.getHealth': health,
};
