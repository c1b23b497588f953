import type { ClientBase } from 'pg';
import { eventType } from '../_chassis/contract.ts';
import { seedInbox, seedOutbox, type PastEvent } from '../_chassis/seeding.ts';
import { assignCarrier } from './carrier.ts';

// What fulfillment saw of the seeded orders: 2 and 3 never came this far. The seconds are those of orders' seed.
type Line = readonly [productId: string, warehouse: string, quantity: number];
const seeded: readonly { id: string; shipped: boolean; lines: readonly Line[] }[] = [
  {
    id: '1',
    shipped: true,
    lines: [
      ['1', 'north', 2],
      ['2', 'north', 1],
    ],
  },
  { id: '4', shipped: false, lines: [['5', 'north', 1]] },
  { id: '5', shipped: true, lines: [['6', 'south', 1]] },
];
const tenant = 'main';

/** Puts in the shipments of the seeded orders, and the messages that led to them; may be repeated. */
export async function seed(client: ClientBase): Promise<void> {
  for (const { id, shipped, lines: short } of seeded) {
    const lines = short.map(([productId, warehouse, quantity]) => ({ productId, warehouse, quantity }));
    const event = (second: number, service: string, name: string, data: object): PastEvent => ({
      id: `seed-${id}-${service}.${name}`,
      service,
      topic: service === 'orders' ? 'fulfillment.requests' : 'fulfillment.events',
      type: eventType(service, name),
      subject: id,
      tenant,
      at: new Date(Date.UTC(2026, 0, 1, Number(id), 0, second)),
      data: { orderId: id, ...data },
    });
    const reason = 'customer';
    const requested = event(7, 'orders', 'shipment.requested', { lines });
    const answered = shipped
      ? event(8, 'fulfillment', 'shipment.dispatched', { lines })
      : event(10, 'fulfillment', 'shipment.cancelled', { reason });
    await client.query(
      `insert into fulfillments (order_id, tenant, state, lines, created_at, updated_at)
       values ($1, $2, $3, $4, $5, $6) on conflict do nothing`,
      [id, tenant, shipped ? 'dispatched' : 'cancelled', JSON.stringify(lines), requested.at, answered.at],
    );
    await seedInbox(client, [requested]);
    if (!shipped) await seedInbox(client, [event(9, 'orders', 'shipment.withdrawn', { reason })]);
    await seedOutbox(client, [answered]);
    if (!shipped) continue;
    const { carrier, trackingCode } = assignCarrier(id);
    await client.query(
      `insert into shipments (id, tenant, order_id, carrier, tracking_code, dispatched_at)
       values ($1, $2, $3, $4, $5, $6) on conflict do nothing`,
      [`seed-${id}`, tenant, id, carrier, trackingCode, answered.at],
    );
  }
}
