import type { Delivery } from '../_chassis/consumer.ts';
import type { Queryable } from '../_chassis/database.ts';
import { createTestDatabase, type TestDatabase } from '../_chassis/test-support/database.ts';
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
