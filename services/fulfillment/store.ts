import { z } from 'zod';
import type { Queryable, Transaction } from '../_chassis/database.ts';
import { uuidv7 } from '../_chassis/uuid.ts';
import { assignCarrier } from './carrier.ts';
import type { ShipmentState } from './shipment.ts';

/** A state as the database holds it. */
export const shipmentState = z.enum([
  'none',
  'picking',
  'packed',
  'dispatched',
  'cancelled',
] as const satisfies readonly ShipmentState[]);

const fulfillmentRow = z.object({
  tenant: z.string(),
  orderId: z.string(),
  state: shipmentState,
  lines: z.array(z.object({ productId: z.string(), warehouse: z.string(), quantity: z.number() })),
});
/** How far one order is, and what belongs to it; a tombstone has no lines. */
export type Fulfillment = z.output<typeof fulfillmentRow>;

const columns = 'tenant, order_id as "orderId", state, lines';

/** Makes sure the order has a row, and locks it; throws where the order is another tenant's. */
export async function openFulfillment(tx: Transaction, tenant: string, orderId: string): Promise<Fulfillment> {
  const [row] = await tx.query(
    `insert into fulfillments (tenant, order_id) values ($1, $2)
     on conflict (order_id) do update set state = fulfillments.state where fulfillments.tenant = $1
     returning ${columns}`,
    [tenant, orderId],
  );
  if (!row) throw new Error(`order ${orderId} belongs to another tenant`);
  return fulfillmentRow.parse(row);
}

/** An order in the state that it is to be moved on from; lines, if there are any, are written down with the move. */
export type Standing = Pick<Fulfillment, 'tenant' | 'orderId' | 'state'> & Partial<Pick<Fulfillment, 'lines'>>;

/** Moves an order on if it is still in that state; undefined where somebody else moved it first. */
export async function moveFulfillment(
  tx: Transaction,
  { tenant, orderId, state: from, lines }: Standing,
  state: ShipmentState,
): Promise<Fulfillment | undefined> {
  const [row] = await tx.query(
    `update fulfillments set state = $4, lines = coalesce($5, lines), updated_at = clock_timestamp()
      where tenant = $1 and order_id = $2 and state = $3 returning ${columns}`,
    [tenant, orderId, from, state, lines && JSON.stringify(lines)],
  );
  return row && fulfillmentRow.parse(row);
}

/** Books the parcel of an order that leaves; there can only be one. */
export function bookShipment(tx: Transaction, { tenant, orderId }: Fulfillment): void {
  const { carrier, trackingCode } = assignCarrier(orderId);
  tx.write('insert into shipments (id, tenant, order_id, carrier, tracking_code) values ($1, $2, $3, $4, $5)', [
    uuidv7(),
    tenant,
    orderId,
    carrier,
    trackingCode,
  ]);
}

/** How many orders are being picked and packed, by state. */
export async function countOpen(db: Queryable): Promise<{ state: string; count: number }[]> {
  return db.query<{ state: string; count: number }>('select state, count from count_open_fulfillments()');
}
