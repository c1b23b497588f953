import { newOrder, order, ordersContract } from '../orders/contract.ts';
import type { SeenOrder } from './expectations.ts';
import { limit, nothing, open, page, renderPage } from './parts.ts';
import { problems } from './problems.ts';
import { route, type Route } from './route.ts';

// Also without a token: whether somebody else's order exists is nobody's business.
const noOrder = () => problems.notFound('order');
const keyedWrite = { permission: 'orders.place', key: 'required', limit: 'order' } as const;

/** The orders' routes. Orders records its answers, so a repeated key gets the same bytes again: rendering is pure. */
export const orderRoutes = {
  placeOrder: route(ordersContract, 'placeOrder', {
    method: 'POST',
    path: '/api/orders',
    does: 'places an order',
    body: newOrder,
    answers: { 201: { body: order, headers: ['location'] } },
    problems: ['unknown-products'],
    ...keyedWrite,
    request: ({ body }) => body,
    replies: {
      placed: ({ order: placed }) => ({
        status: 201,
        body: renderOrder(placed),
        headers: { location: `/api/orders/${encodeURIComponent(placed.id)}` },
      }),
      'unknown-products': ({ productIds }, { body }) => problems.unknownProducts(unknownItems(body.items, productIds)),
    },
  }),
  listOrders: route(ordersContract, 'listOrders', {
    method: 'GET',
    path: '/api/orders',
    does: 'lists your orders, or as staff all of them, page by page',
    permission: 'signed-in',
    limit: 'read',
    query: ordersContract.methods.listOrders.request.extend({ limit }).strict(),
    answers: page(order),
    request: ({ query }) => query,
    replies: {
      page: ({ items, nextCursor }) => ({ status: 200, body: renderPage(items.map(renderOrder), nextCursor) }),
      'bad-cursor': () => problems.badCursor(),
    },
  }),
  getOrder: route(ordersContract, 'getOrder', {
    method: 'GET',
    path: '/api/orders/{orderId}',
    does: 'shows an order',
    answers: { 200: { body: order } },
    ...open,
    request: ({ id }) => ({ orderId: id }),
    replies: { found: ({ order: found }) => ({ status: 200, body: renderOrder(found) }), 'not-found': noOrder },
  }),
  followOrder: {
    method: 'GET',
    path: '/api/orders/{orderId}/events',
    does: 'follows an order: each of its moves once, as it happens',
    answers: { 200: { body: 'event-stream' }, 204: {} },
    problems: ['bad-event-id', 'too-many-streams'],
    ...open,
  },
  cancelOrder: route(ordersContract, 'cancelOrder', {
    method: 'POST',
    path: '/api/orders/{orderId}/cancellation',
    does: 'cancels an order that is not shipped yet',
    body: nothing,
    answers: { 200: { body: order } },
    problems: ['order-not-cancellable'],
    ...keyedWrite,
    request: ({ id }) => ({ orderId: id }),
    replies: {
      cancelled: ({ order: cancelled }) => ({ status: 200, body: renderOrder(cancelled) }),
      'not-cancellable': ({ status }) => problems.orderNotCancellable(status),
      'not-found': noOrder,
    },
  }),
} as const satisfies Record<string, Route>;

/** An order as the public sees it, its fields always in this order. */
export const renderOrder = (order: SeenOrder) => ({
  id: order.id,
  status: order.status,
  customerId: order.customerId,
  items: order.items.map(({ productId, name, quantity, unitPrice }) => ({
    productId,
    name,
    quantity,
    unitPrice: { amount: unitPrice.amount, currency: unitPrice.currency },
  })),
  total: { amount: order.total.amount, currency: order.total.currency },
  version: order.version,
  createdAt: order.createdAt,
  history: order.history.map(({ status, at, reason }) => ({ status, at, ...(reason !== undefined && { reason }) })),
});

/** Which items of a request name products that are not in the catalog. */
export function unknownItems(items: readonly { productId: string }[], unknown: readonly string[]) {
  return items.flatMap(({ productId }, index) =>
    unknown.includes(productId) ? [{ pointer: `/items/${index}/productId`, detail: 'unknown product' }] : [],
  );
}
