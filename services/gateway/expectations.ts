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

const publicUser = z.object({ id: z.string(), name: z.string() });

const address = z.object({
  label: z.string().optional(),
  lines: z.array(z.string()),
  postalCode: z.string(),
  city: z.string(),
  country: z.string(),
});
const user = publicUser.extend({
  email: z.string(),
  addresses: z.array(address),
  preferences: z.record(z.string(), z.union([z.boolean(), z.number(), z.string()])),
  status: z.string(),
  version: z.number(),
  createdAt: z.string(),
});
export type SeenUser = z.infer<typeof user>;

const personalData = z.object({
  id: z.string(),
  userId: z.string(),
  status: z.string(),
  requestedAt: z.string(),
  parts: z.array(z.object({ service: z.string(), tenant: z.string(), at: z.string(), data: z.looseObject({}) })),
  missing: z.array(z.object({ service: z.string(), tenant: z.string() })),
});
const roles = z.array(z.string());
const tenant = z.object({ id: z.string(), name: z.string(), membershipId: z.string(), roles });
const member = z.object({ id: z.string(), userId: z.string(), name: z.string().optional(), roles });
const membership = z.object({ id: z.string(), tenant: z.string(), userId: z.string(), roles });
const invitation = z.object({ id: z.string(), expiresAt: z.string() });

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
const otherVersion = kind('other-version').extend({ version: z.number() });
const heldRoles = kind('roles').extend({ roles });
const health = read(kind('health').extend({ status: z.enum(['healthy', 'unhealthy']) }));

const changedUser = write(
  kind('changed').extend({ user }),
  kind('other-version').extend({ version: z.number() }),
  kind('too-many-preferences'),
  kind('not-found'),
);

/** By `<service>.<method>`: every kind of answer the gateway knows what to make of, with the fields it needs. */
export const answers = {
  'products.listProducts': read(page(product), kind('bad-cursor')),
  'products.getProduct': read(kind('found').extend({ product, cache: z.enum(['hit', 'miss']) }), kind('not-found')),
  'products.createProduct': write(kind('created').extend({ product })),
  'products.changeProduct': write(kind('changed').extend({ product }), kind('not-found'), otherVersion),
  'products.retireProduct': write(kind('retired'), kind('not-found'), otherVersion),
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
  'users.createUser': write(kind('created').extend({ user })),
  'users.listUsers': read(page(user), kind('bad-cursor')),
  'users.getUser': read(
    kind('found').extend({ user }),
    kind('public').extend({ user: publicUser, cache: z.enum(['hit', 'miss']) }),
    kind('not-found'),
  ),
  'users.replaceUser': changedUser,
  'users.changeUser': changedUser,
  'users.eraseUser': write(kind('erased'), kind('not-found')),
  'users.requestExport': write(kind('requested').extend({ exportId: z.string() }), kind('not-found')),
  'users.getExport': read(kind('found').extend({ export: personalData }), kind('not-found')),
  'users.createTenant': write(kind('created').extend({ tenant }), kind('taken')),
  'users.listTenants': read(kind('tenants').extend({ items: z.array(tenant) })),
  'users.listMembers': read(page(member), kind('bad-cursor'), kind('not-found')),
  'users.inviteMember': write(kind('invited').extend({ invitation }), kind('not-found')),
  'users.acceptInvitation': write(kind('accepted').extend({ membership }), kind('not-found')),
  'users.removeMember': write(kind('removed'), kind('last-admin'), kind('not-found')),
  'auth.exchangeHttp': write(
    kind('exchanged').extend({
      status: z.number(),
      headers: z.array(z.tuple([z.string(), z.string()])),
      body: z.string(),
    }),
  ),
  'auth.listRoles': read(heldRoles, kind('not-found')),
  'auth.grantRole': write(heldRoles, kind('not-found')),
  'auth.revokeRole': write(heldRoles, kind('not-found'), kind('last-admin')),
  'products.getHealth': health,
  'inventory.getHealth': health,
  'orders.getHealth': health,
  'payments.getHealth': health,
  'fulfillment.getHealth': health,
  'auth.getHealth': health,
  'users.getHealth': health,
};
