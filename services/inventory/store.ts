import { z } from 'zod';
import type { Queryable, Transaction } from '../_chassis/database.ts';
import { warehouse } from './contract.ts';
import {
  stockMoves,
  type AllocatedLine,
  type ReservationState,
  type StockEffect,
  type StockRow,
} from './reservation.ts';

/** An order as inventory knows it. */
export interface OrderRef {
  readonly tenant: string;
  readonly orderId: string;
}

/** A warehouse's shelf of one product. */
export interface Shelf {
  readonly tenant: string;
  readonly productId: string;
  readonly warehouse: z.infer<typeof warehouse>;
}

// Counts are bigint, which PostgreSQL's driver gives as text.
const count = z.coerce.number().int();
const stockRows = z.array(z.object({ productId: z.string(), warehouse, available: count, reserved: count }));
const lineRows = z.array(z.object({ productId: z.string(), warehouse, quantity: count }));

/**
 * The state of the order's reservation, its row locked; a new row is `none`. One statement does both, because a lock
 * on a row that is not there yet would lock nothing.
 */
export async function lockReservation(tx: Transaction, { tenant, orderId }: OrderRef): Promise<ReservationState> {
  const [row] = await tx.query<{ state: ReservationState }>(
    `insert into reservations (tenant, order_id, state) values ($1, $2, 'none')
     on conflict (tenant, order_id) do update set state = reservations.state
     returning state`,
    [tenant, orderId],
  );
  return row?.state ?? 'none';
}

/**
 * What there is of these products, locked; always in the same order, so that no two orders wait for each other. Empty
 * shelves are passed over without a lock: the many who come too late for a hot product wait for nobody.
 */
export async function lockStock(tx: Transaction, tenant: string, productIds: readonly string[]): Promise<StockRow[]> {
  const rows = await tx.query(
    `select product_id as "productId", warehouse, available, reserved from stock
      where tenant = $1 and product_id = any($2) and available > 0
      order by product_id, warehouse for update`,
    [tenant, productIds],
  );
  return stockRows.parse(rows);
}

/**
 * Locks every shelf that orders handled together will touch, in `lockStock`'s order: one after the other they would
 * lock them in the order of the orders, and two replicas could wait for each other.
 */
export async function lockShelves(
  tx: Transaction,
  wanted: readonly { tenant: string; productId: string }[],
  reserved: readonly OrderRef[],
): Promise<void> {
  await tx.query(
    `with touched as (
       select s.tenant, s.product_id, s.warehouse
         from json_to_recordset($1) as w (tenant text, "productId" text)
         join stock s on s.tenant = w.tenant and s.product_id = w."productId" and s.available > 0
       union
       select l.tenant, l.product_id, l.warehouse
         from json_to_recordset($2) as o (tenant text, "orderId" text)
         join reservation_lines l on l.tenant = o.tenant and l.order_id = o."orderId")
     select from stock join touched using (tenant, product_id, warehouse)
      order by product_id, warehouse, tenant for update of stock`,
    [JSON.stringify(wanted), JSON.stringify(reserved)],
  );
}

/** The lines of the order's reservation, with the stock that they were taken from locked in `lockStock`'s order. */
export async function lockReservedLines(tx: Transaction, { tenant, orderId }: OrderRef): Promise<AllocatedLine[]> {
  const rows = await tx.query(
    `select product_id as "productId", warehouse, l.quantity
       from reservation_lines l join stock s using (tenant, product_id, warehouse)
      where tenant = $1 and l.order_id = $2
      order by product_id, warehouse for update of s`,
    [tenant, orderId],
  );
  return lineRows.parse(rows);
}

/** Ends the handling of a reservation that takes no stock. */
export function setReservation(tx: Transaction, order: OrderRef, state: ReservationState): void {
  tx.write('update reservations set state = $3, at = clock_timestamp() where tenant = $1 and order_id = $2', [
    order.tenant,
    order.orderId,
    state,
  ]);
}

/**
 * Moves the reservation to its new state and every line's units with it, each move with its row in the ledger. One
 * statement, because a hot product's rows are locked until the commit: each round trip here costs every waiting buyer.
 */
export function bookLines(
  tx: Transaction,
  order: OrderRef,
  move: { state: ReservationState; effect: StockEffect; lines: readonly AllocatedLine[] },
): void {
  const { available = 0, reserved = 0, shipped = 0 } = stockMoves[move.effect];
  tx.write(
    `with lines as (select * from jsonb_to_recordset($4) as l ("productId" text, warehouse text, quantity bigint)),
     held as (
       insert into reservation_lines (tenant, order_id, product_id, warehouse, quantity)
       select $1, $2, "productId", warehouse, quantity from lines
       on conflict (tenant, order_id, product_id, warehouse) do nothing),
     booked as (
       insert into movements (tenant, order_id, product_id, warehouse, kind, quantity)
       select $1, $2, "productId", warehouse, $5, quantity from lines order by "productId", warehouse),
     moved as (
       update stock
          set available = available + $6::bigint * lines.quantity,
              reserved = reserved + $7::bigint * lines.quantity,
              shipped = shipped + $8::bigint * lines.quantity
         from lines
        where tenant = $1 and product_id = lines."productId" and stock.warehouse = lines.warehouse)
     update reservations set state = $3, at = clock_timestamp() where tenant = $1 and order_id = $2`,
    [order.tenant, order.orderId, move.state, JSON.stringify(move.lines), move.effect, available, reserved, shipped],
  );
}

/** What every warehouse has of a product, by name of the warehouse; empty when the product is not known here. */
export async function findStock(db: Queryable, tenant: string, productId: string) {
  const rows = await db.query(
    `select product_id as "productId", warehouse, available, reserved from stock
      where tenant = $1 and product_id = $2 order by warehouse`,
    [tenant, productId],
  );
  return stockRows.parse(rows);
}

/** Gives the product a shelf in every warehouse, where it has none. */
export async function addShelves(tx: Transaction, tenant: string, productId: string): Promise<void> {
  await tx.query(
    `insert into stock (tenant, product_id, warehouse) select $1, $2, unnest($3::text[]) on conflict do nothing`,
    [tenant, productId, warehouse.options],
  );
}

/** How much a shelf has, locked; 0 when there is no such shelf. */
export async function lockAvailable(tx: Transaction, { tenant, productId, warehouse }: Shelf): Promise<number> {
  const [row] = await tx.query(
    'select available from stock where tenant = $1 and product_id = $2 and warehouse = $3 for update',
    [tenant, productId, warehouse],
  );
  return row === undefined ? 0 : count.parse(row['available']);
}

/** Puts units that came from outside on a shelf that exists, or takes missing ones off it, with the ledger's row. */
export async function bookUnits(
  tx: Transaction,
  { tenant, productId, warehouse }: Shelf,
  booking: { kind: 'receipt' | 'adjustment'; quantity: number; reason?: string },
): Promise<void> {
  await tx.query(
    `with booked as (
       insert into movements (tenant, product_id, warehouse, kind, quantity, reason) values ($1, $2, $3, $4, $5, $6))
     update stock
        set available = available + $5,
            received = received + case when $4 = 'receipt' then $5 else 0 end,
            adjusted = adjusted + case when $4 = 'adjustment' then $5 else 0 end
      where tenant = $1 and product_id = $2 and warehouse = $3`,
    [tenant, productId, warehouse, booking.kind, booking.quantity, booking.reason ?? null],
  );
}
