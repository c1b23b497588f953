import type { Delivery } from '../_chassis/consumer.ts';
import type { Queryable } from '../_chassis/database.ts';
import { between, createTestDatabase, type TestDatabase } from '../_chassis/test-support/database.ts';
import { startTestService, type TestService } from '../_chassis/test-support/service.ts';
import { buildApp } from './app.ts';
import { inventoryContract } from './contract.ts';

/** Runs inventory on a database of its own; `wrap` may stand between the service and the database. */
export async function startInventory(
  wrap: (database: TestDatabase) => TestDatabase = (database) => database,
): Promise<TestService<typeof inventoryContract>> {
  const database = wrap(await createTestDatabase('inventory', new URL('./migrations', import.meta.url)));
  return startTestService({ contract: inventoryContract, database, buildApp });
}

/** What orders and fulfillment say of an order; like a broker, it comes again as long as it is told RETRY. */
export function speaker(service: TestService<typeof inventoryContract>, tries = 1) {
  async function say(source: string, topic: string, type: string, orderId: string, data: object, id?: string) {
    const event = { source, topic, type: `com.sidecart.${source}.${type}.v1`, subject: orderId };
    const known = { ...event, id: id ?? `${orderId}-${type}`, data: { orderId, ...data } };
    let delivery: Delivery = 'RETRY';
    for (let left = tries; left > 0 && delivery === 'RETRY'; left--) delivery = await service.deliver(known);
    return delivery;
  }
  return {
    request: (orderId: string, lines: object, id?: string) =>
      say('orders', 'inventory.requests', 'reservation.requested', orderId, { lines }, id),
    withdraw: (orderId: string) =>
      say('orders', 'inventory.requests', 'reservation.withdrawn', orderId, { reason: 'customer' }),
    dispatch: (orderId: string) =>
      say('fulfillment', 'fulfillment.events', 'shipment.dispatched', orderId, { lines: [] }),
  };
}

/** Shelves whose counts are not what the ledger's movements add up to; empty when every unit is accounted for. */
export const ledgerProblems = (db: Queryable) =>
  db.query(
    `with sums as (
       select tenant, product_id, warehouse,
              coalesce(sum(quantity) filter (where kind = 'receipt'), 0) as received,
              coalesce(sum(quantity) filter (where kind = 'adjustment'), 0) as adjusted,
              coalesce(sum(quantity) filter (where kind = 'reserve'), 0) as reserved,
              coalesce(sum(quantity) filter (where kind = 'release'), 0) as released,
              coalesce(sum(quantity) filter (where kind = 'ship'), 0) as shipped
         from movements group by tenant, product_id, warehouse)
     select s.*, sums.* from stock s left join sums using (tenant, product_id, warehouse)
      where s.received <> coalesce(sums.received, 0) or s.adjusted <> coalesce(sums.adjusted, 0)
         or s.shipped <> coalesce(sums.shipped, 0)
         or s.reserved <> coalesce(sums.reserved - sums.released - sums.shipped, 0)
         or s.available <> s.received + s.adjusted - s.reserved - s.shipped`,
  );

/** Stands between the service and its database: counts, and lets transactions fail as a restarting PostgreSQL does. */
export function createWatch() {
  const watch = {
    away: false,
    transactions: 0,
    attempts: 0,
    statements: 0,
    over: (database: TestDatabase): TestDatabase =>
      between(database, (scope) => ({
        transaction: (work) => {
          watch.transactions++;
          return scope.transaction((tx) => {
            if (watch.away) throw Object.assign(new Error('the database system is shutting down'), { code: '57P03' });
            watch.attempts++;
            return work({ ...tx, query: (sql, values) => (watch.statements++, tx.query(sql, values)) });
          });
        },
      })),
  };
  return watch;
}

/** Goods come in, by the front door. */
export async function receive(
  service: TestService<typeof inventoryContract>,
  productId: string,
  quantity: number,
  warehouse: 'north' | 'south' = 'north',
): Promise<void> {
  const person = await service.as({ sub: '4', roles: ['warehouse'] });
  await person.receiveStock({ productId, warehouse, quantity });
}

/** What everybody sees of a product's stock. */
export async function stock(service: TestService<typeof inventoryContract>, productId: string) {
  const answer = await (await service.as()).getStock({ productId });
  return answer.kind === 'stock' ? { available: answer.stock.available, reserved: answer.stock.reserved } : undefined;
}

/** 0, 1, 2, … */
export const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index);
