import { z } from 'zod';
import { adjustment, receipt } from '../inventory/contract.ts';
import { newOrder, ordersContract } from '../orders/contract.ts';
import { newProduct, productChange, productsContract } from '../products/contract.ts';

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
}

const limit = z
  .string()
  .regex(/^([1-9]\d?|100)$/, 'must be a whole number from 1 to 100')
  .transform(Number)
  .default(20);

/** For a transition: no body, or an empty object, which some clients can't help sending. */
const nothing = z.strictObject({}).optional();

const open = { token: 'optional' } as const;
const write = { token: 'required', key: 'optional' } as const;
const keyedWrite = { token: 'required', key: 'required' } as const;

/** The public REST API, whole: what is not in this table is 404, or 405 where another method is. */
export const routes = {
  showIndex: { method: 'GET', path: '/', does: 'says what this is', ...open },
  showHealth: { method: 'GET', path: '/health', does: 'shows how the gateway and every service are', ...open },
  listProducts: {
    method: 'GET',
    path: '/api/products',
    does: 'lists products by query and category, page by page',
    query: productsContract.methods.listProducts.request.extend({ limit }).strict(),
    ...open,
  },
  createProduct: {
    method: 'POST',
    path: '/api/products',
    does: 'adds a product (staff)',
    body: newProduct,
    ...write,
  },
  getProduct: { method: 'GET', path: '/api/products/{productId}', does: 'shows a product', ...open },
  changeProduct: {
    method: 'PATCH',
    path: '/api/products/{productId}',
    does: 'changes name, category or price of a product (staff)',
    body: productChange,
    ...write,
  },
  retireProduct: {
    method: 'DELETE',
    path: '/api/products/{productId}',
    does: 'takes a product out of the catalog (staff)',
    ...write,
  },
  getStock: { method: 'GET', path: '/api/inventory/{productId}', does: 'shows the stock of a product', ...open },
  receiveStock: {
    method: 'POST',
    path: '/api/inventory/{productId}/receipts',
    does: 'books goods that came in (warehouse)',
    body: receipt,
    ...write,
  },
  adjustStock: {
    method: 'POST',
    path: '/api/inventory/{productId}/adjustments',
    does: 'corrects the stock after counting (warehouse)',
    body: adjustment,
    ...write,
  },
  placeOrder: { method: 'POST', path: '/api/orders', does: 'places an order', body: newOrder, ...keyedWrite },
  listOrders: {
    method: 'GET',
    path: '/api/orders',
    does: 'lists your orders, or as staff all of them, page by page',
    token: 'required',
    query: ordersContract.methods.listOrders.request.extend({ limit }).strict(),
  },
  getOrder: { method: 'GET', path: '/api/orders/{orderId}', does: 'shows an order', ...open },
  cancelOrder: {
    method: 'POST',
    path: '/api/orders/{orderId}/cancellation',
    does: 'cancels an order that is not shipped yet',
    body: nothing,
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
}

/** What a handler answers; a body becomes JSON as it stands. */
export interface Reply {
  readonly status: number;
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
}

/** One handler for each route; each throws a ProblemError for whatever is not a success. */
export type Handlers = { readonly [Name in RouteName]: (input: Input<(typeof routes)[Name]>) => Promise<Reply> };

/** How the gateway and one service are doing, as `GET /health` says it. */
export const health = z.object({
  status: z.enum(['healthy', 'degraded', 'unhealthy']),
  services: z.record(z.string(), z.object({ status: z.enum(['healthy', 'unhealthy']), latencyMs: z.number().int() })),
});
export type Health = z.infer<typeof health>;
