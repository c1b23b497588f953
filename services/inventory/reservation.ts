import { listed, type Table } from '../_chassis/impossible.ts';

/** Where one order's reservation stands; `released` without a request before it is a tombstone. */
export type ReservationState = 'none' | 'reserved' | 'refused' | 'released' | 'shipped';

/** What can happen to it; a request comes with the answer of `allocate`. */
export type ReservationInput =
  'reservation.requested (fits)' | 'reservation.requested (lacking)' | 'reservation.withdrawn' | 'shipment.dispatched';

/** What happens to the stock of every line of the reservation. */
export type StockEffect = 'reserve' | 'release' | 'ship';

/** What orders is told. */
export type ReservationAnswer = 'reservation.confirmed' | 'reservation.refused';

/** A row that changes something; what it leaves out stays as it is, or is not said. */
export interface ReservationMove {
  readonly becomes?: ReservationState;
  readonly stock?: StockEffect;
  readonly answer?: ReservationAnswer;
}

/** `unchanged`: expected, late or overtaken. */
export type ReservationTable = Table<ReservationState, ReservationInput, ReservationMove | 'unchanged'>;

/** What to do about a message: all of it in the transaction that handles the message. */
export type ReservationDecision =
  | {
      readonly kind: 'moved';
      readonly state: ReservationState;
      readonly stock: StockEffect | undefined;
      readonly answer: ReservationAnswer | undefined;
    }
  | { readonly kind: 'unchanged' };

/** Every pair of state and message that can occur; all others are impossible. */
export const reservationTable: ReservationTable = {
  none: {
    'reservation.requested (fits)': { becomes: 'reserved', stock: 'reserve', answer: 'reservation.confirmed' },
    'reservation.requested (lacking)': { becomes: 'refused', answer: 'reservation.refused' },
    // The withdrawal overtook its request: the tombstone makes the request find nothing to do.
    'reservation.withdrawn': { becomes: 'released' },
  },
  reserved: {
    'reservation.withdrawn': { becomes: 'released', stock: 'release' },
    'shipment.dispatched': { becomes: 'shipped', stock: 'ship' },
  },
  refused: {
    'reservation.withdrawn': 'unchanged',
  },
  released: {
    // No answer: the order does not wait for one any more.
    'reservation.requested (fits)': 'unchanged',
    'reservation.requested (lacking)': 'unchanged',
  },
  shipped: {},
};

/** Decides what a message does to a reservation; throws ImpossibleInput for a pair the table does not list. */
export function decideReservation(
  state: ReservationState,
  input: ReservationInput,
  table = reservationTable,
): ReservationDecision {
  const row = listed('inventory', table, state, input);
  if (row === 'unchanged') return { kind: row };
  return { kind: 'moved', state: row.becomes ?? state, stock: row.stock, answer: row.answer };
}

/** How many units of one product a warehouse holds, by what may be done with them. */
export interface StockCounts {
  readonly available: number;
  readonly reserved: number;
  readonly shipped: number;
}

/** What each stock effect adds to the three counts, per unit; units only move between them (I4). */
export const stockMoves: Readonly<Record<StockEffect, Readonly<Partial<StockCounts>>>> = {
  reserve: { available: -1, reserved: +1 },
  release: { reserved: -1, available: +1 },
  ship: { reserved: -1, shipped: +1 },
};

/** Gives the counts after an effect on so many units. */
export function moveStock(counts: StockCounts, effect: StockEffect, quantity: number, moves = stockMoves): StockCounts {
  const { available = 0, reserved = 0, shipped = 0 } = moves[effect];
  return {
    available: counts.available + available * quantity,
    reserved: counts.reserved + reserved * quantity,
    shipped: counts.shipped + shipped * quantity,
  };
}

/** What an order asks for. */
export interface WantedLine {
  readonly productId: string;
  readonly quantity: number;
}

/** What a warehouse has of a product. */
export interface StockRow {
  readonly productId: string;
  readonly warehouse: string;
  readonly available: number;
}

/** What is taken from where; at most one line for each product and warehouse. */
export interface AllocatedLine extends WantedLine {
  readonly warehouse: string;
}

/** A product of which all warehouses together have too little. */
export interface MissingLine {
  readonly productId: string;
  readonly requested: number;
  readonly available: number;
}

/** All lines fit, or none is taken and this is what is missing. */
export type Allocation =
  | { readonly fits: true; readonly lines: readonly AllocatedLine[] }
  | { readonly fits: false; readonly missing: readonly MissingLine[] };

/**
 * Decides whether all lines fit, and from where each is taken: from the fullest warehouse first (then by name), so that
 * one line is split as little as can be. The order of the stock rows does not matter.
 */
export function allocate(wanted: readonly WantedLine[], stock: readonly StockRow[]): Allocation {
  const requests = new Map<string, number>();
  for (const line of wanted) requests.set(line.productId, (requests.get(line.productId) ?? 0) + line.quantity);

  const lines: AllocatedLine[] = [];
  const missing: MissingLine[] = [];
  for (const [productId, requested] of requests) {
    const rows = stock.filter((row) => row.productId === productId && row.available > 0).sort(fullestFirst);
    let open = requested;
    for (const { warehouse, available } of rows) {
      const quantity = Math.min(open, available);
      if (quantity > 0) lines.push({ productId, warehouse, quantity });
      open -= quantity;
    }
    if (open > 0) missing.push({ productId, requested, available: requested - open });
  }
  return missing.length > 0 ? { fits: false, missing } : { fits: true, lines };
}

function fullestFirst(one: StockRow, other: StockRow): number {
  return other.available - one.available || (one.warehouse < other.warehouse ? -1 : 1);
}
