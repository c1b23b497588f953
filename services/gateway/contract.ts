import { z } from 'zod';
import { adjustment, receipt, stock } from '../inventory/contract.ts';
import { newOrder, order, ordersContract } from '../orders/contract.ts';
import { newProduct, product, productChange, productsContract } from '../products/contract.ts';
import type { ProblemCode } from './problems.ts';

/** One route of the public API; everything that is checked before a service is asked follows from it. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** At most one `{parameter}`, an id. */
  readonly path: string;
  readonly does: string;
  /** A token that is sent has to be good in any case. */
  readonly token: 'optional' | 'required';
  /** The query parameters that are allowed; none without it. */
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  /** Only on writes: an optional key is made here when the client sends none. */
  readonly key?: 'optional' | 'required';
  /** Every success, by its status. */
  readonly answers: Readonly<Record<number, RouteAnswer>>;
  /** The problems that do not follow from the rest of the route. */
  readonly problems?: readonly ProblemCode[];
}

/** A success as it is published: the body's schema (none: no body) and the headers that are its own. */
export interface RouteAnswer {
  /** An event stream begins behind the event that `Last-Event-ID` names. */
  readonly body?: z.ZodType | 'event-stream';
  readonly headers?: readonly ('location' | 'x-cache')[];
}

const limit = z
  .string()
  .regex(/^([1-9]\d?|100)$/, 'must be a whole number from 1 to 100')
  .transform(Number)
  .pipe(z.number().int().min(1).max(100))
  .default(20);

/** For a transition: no body, or an empty object, which some clients can't help sending. */
const nothing = z.strictObject({}).optional();

/** How the gateway and one service are doing, as `GET /health` says it. */
export const health = z.object({
  status: z.enum(['healthy', 'degraded', 'unhealthy']),
  services: z.record(z.string(), z.object({ status: z.enum(['healthy', 'unhealthy']), latencyMs: z.number().int() })),
});
export type Health = z.infer<typeof health>;

const index = z.object({
  name: z.string(),
  about: z.string(),
  links: z.record(z.string(), z.string()),
  routes: z.array(z.object({ method: z.string(), path: z.string(), does: z.string(), token: z.string() })),
});
const page = <Item extends z.ZodType>(item: Item) => ({
  200: { body: z.object({ items: z.array(item), nextCursor: z.string().nullable() }) },
});

const open = { token: 'optional' } as const;
const write = { token: 'required', key: 'optional' } as const;
const keyedWrite = { token: 'required', key: 'required' } as const;

/** The public REST API, whole: what is not in this table is 404, or 405 where another method is. */
export const routes = {
  showIndex: { method: 'GET', path: '/', does: 'says what this is', answers: { 200: { body: index } }, ...open },
  showApi: {
    method: 'GET',
    path: '/openapi.json',
    does: 'describes this API (OpenAPI 3.1)',
    answers: { 200: { body: z.looseObject({ openapi: z.string() }) } },
    ...open,
  },
  showHealth: {
    method: 'GET',
    path: '/health',
    does: 'shows how the gateway and every service are',
    answers: { 200: { body: health }, 503: { body: health } },
    ...open,
  },
  listProducts: {
    method: 'GET',
    path: '/api/products',
    does: 'lists products by query and category, page by page',
    query: productsContract.methods.listProducts.request.extend({ limit }).strict(),
    answers: page(product),
    ...open,
  },
  createProduct: {
    method: 'POST',
    path: '/api/products',
    does: 'adds a product (staff)',
    body: newProduct,
    answers: { 201: { body: product, headers: ['location'] } },
    ...write,
  },
  getProduct: {
    method: 'GET',
    path: '/api/products/{productId}',
    does: 'shows a product',
    answers: { 200: { body: product, headers: ['x-cache'] } },
    ...open,
  },
  changeProduct: {
    method: 'PATCH',
    path: '/api/products/{productId}',
    does: 'changes name, category or price of a product (staff)',
    body: productChange,
    answers: { 200: { body: product } },
    ...write,
  },
  retireProduct: {
    method: 'DELETE',
    path: '/api/products/{productId}',
    does: 'takes a product out of the catalog (staff)',
    answers: { 204: {} },
    ...write,
  },
  getStock: {
    method: 'GET',
    path: '/api/inventory/{productId}',
    does: 'shows the stock of a product',
    answers: { 200: { body: stock } },
    ...open,
  },
  receiveStock: {
    method: 'POST',
    path: '/api/inventory/{productId}/receipts',
    does: 'books goods that came in (warehouse)',
    body: receipt,
    answers: { 200: { body: stock } },
    ...write,
  },
  adjustStock: {
    method: 'POST',
    path: '/api/inventory/{productId}/adjustments',
    does: 'corrects the stock after counting (warehouse)',
    body: adjustment,
    answers: { 200: { body: stock } },
    ...write,
    problems: ['not-enough-stock'],
  },
  placeOrder: {
    method: 'POST',
    path: '/api/orders',
    does: 'places an order',
    body: newOrder,
    answers: { 201: { body: order, headers: ['location'] } },
    problems: ['unknown-products'],
    ...keyedWrite,
  },
  listOrders: {
    method: 'GET',
    path: '/api/orders',
    does: 'lists your orders, or as staff all of them, page by page',
    token: 'required',
    query: ordersContract.methods.listOrders.request.extend({ limit }).strict(),
    answers: page(order),
  },
  getOrder: {
    method: 'GET',
    path: '/api/orders/{orderId}',
    does: 'shows an order',
    answers: { 200: { body: order } },
    ...open,
  },
  followOrder: {
    method: 'GET',
    path: '/api/orders/{orderId}/events',
    does: 'follows an order: each of its moves once, as it happens',
    answers: { 200: { body: 'event-stream' }, 204: {} },
    problems: ['bad-event-id', 'too-many-streams'],
    ...open,
  },
  cancelOrder: {
    method: 'POST',
    path: '/api/orders/{orderId}/cancellation',
    does: 'cancels an order that is not shipped yet',
    body: nothing,
    answers: { 200: { body: order } },
    problems: ['order-not-cancellable'],
    ...keyedWrite,
  },
} as const satisfies Record<string, Route>;

export type RouteName = keyof typeof routes;

/** What a handler is given: everything checked and typed by its route. */
export interface Input<R extends Route = Route> {
  /** The path's parameter; empty where there is none. */
  readonly id: string;
  /** The idempotency key of a write; empty on reads. */
  readonly key: string;
  readonly query: R extends { query: infer Q extends z.ZodType } ? z.output<Q> : undefined;
  readonly body: R extends { body: infer B extends z.ZodType } ? z.output<B> : undefined;
  readonly follower: R extends { answers: { 200: { body: 'event-stream' } } } ? Follower : undefined;
}

/** Who follows a stream, and from where. */
export interface Follower {
  /** The last event that he has, 0 for none. */
  readonly after: number;
  /** The subject of his token; undefined without one. */
  readonly subject: string | undefined;
  /** Aborted when he leaves, when the stream has lived long enough, or when the gateway stops. */
  readonly signal: AbortSignal;
}

/** A server-sent event: data becomes JSON. */
export interface ServerEvent {
  readonly id: number;
  readonly event: string;
  readonly data: object;
}

/** What a handler answers; a body becomes JSON as it stands. */
export interface Reply {
  readonly status: number;
  readonly body?: object;
  /** Instead of a body; taken one by one, as fast as the client reads. */
  readonly events?: AsyncIterable<ServerEvent>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** One handler for each route; each throws a ProblemError for whatever is not a success. */
export type Handlers = { readonly [Name in RouteName]: (input: Input<(typeof routes)[Name]>) => Promise<Reply> };
