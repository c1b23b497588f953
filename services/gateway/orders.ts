import type { Connect } from '../_chassis/client.ts';
import { ordersContract } from '../orders/contract.ts';
import type { Handlers } from './contract.ts';
import type { SeenOrder } from './expectations.ts';
import { problems, refused } from './problems.ts';
import { renderPage } from './products.ts';

/** The orders' routes. Orders records its answers, so a repeated key gets the same bytes again: rendering is pure. */
export function orderHandlers({
  connect,
}: {
  connect: Connect;
}): Pick<Handlers, 'placeOrder' | 'listOrders' | 'getOrder' | 'cancelOrder'> {
  const orders = connect(ordersContract);
  return {
    async placeOrder({ body, key }) {
      const answer = await orders.placeOrder(body, { idempotencyKey: key });
      if (answer.kind === 'placed') {
        const location = `/api/orders/${encodeURIComponent(answer.order.id)}`;
        return { status: 201, body: renderOrder(answer.order), headers: { location } };
      }
      if (answer.kind === 'unknown-products') {
        throw problems.unknownProducts(unknownItems(body.items, answer.productIds));
      }
      throw refused(answer);
    },
    async listOrders({ query }) {
      const answer = await orders.listOrders(query);
      if (answer.kind === 'page') {
        return { status: 200, body: renderPage(answer.items.map(renderOrder), answer.nextCursor) };
      }
      throw answer.kind === 'bad-cursor' ? problems.badCursor() : refused(answer);
    },
    async getOrder({ id }) {
      const answer = await orders.getOrder({ orderId: id });
      if (answer.kind === 'found') return { status: 200, body: renderOrder(answer.order) };
      // Also without a token: whether somebody else's order exists is nobody's business.
      throw answer.kind === 'not-found' ? problems.notFound('order') : refused(answer);
    },
    async cancelOrder({ id, key }) {
      const answer = await orders.cancelOrder({ orderId: id }, { idempotencyKey: key });
      if (answer.kind === 'cancelled') return { status: 200, body: renderOrder(answer.order) };
      if (answer.kind === 'not-cancellable') throw problems.orderNotCancellable(answer.status);
      throw answer.kind === 'not-found' ? problems.notFound('order') : refused(answer);
    },
  };
}

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
