import { z } from 'zod';
import type { Call, Methods } from '../_chassis/call.ts';
import type { Database } from '../_chassis/database.ts';
import { once } from '../_chassis/idempotency.ts';
import { decodeCursor, encodeCursor } from '../_chassis/page.ts';
import { isPermitted, refusedWithout } from '../_chassis/permission.ts';
import { permissions } from '../auth/contract.ts';
import type { ordersContract } from './contract.ts';
import { isTerminal, orderStatus } from './order.ts';
import { isErased } from './people.ts';
import { findPrices } from './prices.ts';
import { toOrder, type OrderRecord } from './record.ts';
import type { Saga } from './saga.ts';
import { findOrder, listOrders, lockOrder } from './store.ts';
import type { Watch } from './watch.ts';

/** The order that everybody may look at, without a token. */
const showcase = '1';
// No wider than what we give out: a client may have made it, and PostgreSQL takes neither the year 0 nor NUL.
const position = z.object({
  createdAt: z.iso.datetime({ precision: 3 }).startsWith('2'),
  id: z.string().regex(/^[\w.-]{1,64}$/),
});

/** Orders belong to who placed them; staff see those of their tenant, and what one may not see does not exist. */
export function methods(deps: { database: Database; saga: Saga; watch: Watch }): Methods<typeof ordersContract> {
  const { database, saga, watch } = deps;
  return {
    async placeOrder(request, call) {
      const refused = refusedWithout(permissions['orders.place'], call);
      if (refused) return refused;
      const { tenant } = call;
      return once(database, call, 'placeOrder', request, async (tx) => {
        const productIds = request.items.map((item) => item.productId);
        const [prices, erased] = await Promise.all([
          findPrices(tx, tenant, productIds),
          isErased(tx, tenant, call.caller),
        ]);
        if (erased) return { kind: 'unauthenticated' as const };
        const unknown = request.items.filter((item) => !prices.has(item.productId)).map((item) => item.productId);
        const items = request.items.flatMap(({ productId, quantity }) => {
          const price = prices.get(productId);
          return price
            ? [{ productId, name: price.name, quantity, unitPrice: { amount: price.amount, currency: price.currency } }]
            : [];
        });
        const currency = items[0]?.unitPrice.currency;
        if (unknown.length > 0 || currency === undefined)
          return { kind: 'unknown-products' as const, productIds: unknown };
        const amount = items.reduce((sum, item) => sum + item.quantity * item.unitPrice.amount, 0);
        const { paymentToken } = request;
        const record = saga.place(tx, {
          tenant,
          customerId: call.caller,
          items,
          total: { amount, currency },
          paymentToken,
        });
        return { kind: 'placed' as const, order: toOrder(record) };
      });
    },

    async getOrder({ orderId }, call) {
      const record = await findOrder(database.of(call.tenant), call.tenant, orderId);
      return record && maySee(call, record) ? { kind: 'found', order: toOrder(record) } : { kind: 'not-found' };
    },

    async *followOrder({ orderId, afterVersion }, call) {
      let after = afterVersion;
      let silent = true;
      for await (const record of watch.follow(call.tenant, orderId, call.signal)) {
        if (!record || !maySee(call, record)) {
          yield { kind: 'not-found' };
          return;
        }
        for (const [index, move] of record.history.entries()) {
          const version = index + 1;
          if (version <= after) continue;
          yield { kind: 'moved', orderId, version, ...move };
          after = version;
          silent = false;
        }
        if (isTerminal(record.state)) {
          yield { kind: 'ended' };
          return;
        }
        if (silent) yield { kind: 'following' };
        silent = false;
      }
    },

    async listOrders({ status, limit, cursor }, call) {
      const { tenant } = call;
      if (!call.principal) return { kind: 'unauthenticated' };
      const after = cursor === undefined ? undefined : decodeCursor(position, cursor);
      if (cursor !== undefined && !after) return { kind: 'bad-cursor' };
      const customerId = isStaff(call) ? undefined : call.caller;
      const found = await listOrders(database.of(tenant), { tenant, customerId, status, after, limit: limit + 1 });
      const items = found.slice(0, limit).map(toOrder);
      const last = items.at(-1);
      const more = found.length > limit && last;
      return {
        kind: 'page',
        items,
        ...(more && { nextCursor: encodeCursor({ createdAt: last.createdAt, id: last.id }) }),
      };
    },

    async cancelOrder(request, call) {
      const refused = refusedWithout(permissions['orders.place'], call);
      if (refused) return refused;
      return once(database, call, 'cancelOrder', request, async (tx) => {
        const record = await lockOrder(tx, call.tenant, request.orderId);
        if (!record || !maySee(call, record)) return { kind: 'not-found' as const };
        const reason = call.principal?.subject === record.customerId ? 'customer' : 'staff';
        const after = saga.advance(tx, record, 'cancel', { reason });
        if (!after) return { kind: 'not-cancellable' as const, status: orderStatus(record.state) };
        return { kind: 'cancelled' as const, order: toOrder(after) };
      });
    },
  };
}

const isStaff = (call: Call) => isPermitted(permissions['orders.read-all'], call);

const maySee = (call: Call, record: OrderRecord) =>
  record.id === showcase || isStaff(call) || call.principal?.subject === record.customerId;
