import { chargeTable, type ChargeState } from '../../bank/charge.ts';
import * as shipments from '../../fulfillment/shipment.ts';
import * as reservations from '../../inventory/reservation.ts';
import * as orders from '../../orders/order.ts';
import * as payments from '../../payments/payment.ts';

/** Everything that decides, as data, so that a test can take an effect out of a copy. */
export const realTables = {
  orders: orders.orderTable,
  inventory: reservations.reservationTable,
  stock: reservations.stockMoves,
  payments: payments.paymentTable,
  tries: payments.bankTries,
  bank: chargeTable,
  fulfillment: shipments.shipmentTable,
};
export type Tables = typeof realTables;

/** What a world runs on: its tables, whether inboxes stop duplicates, and who wants to know which rows are used. */
export interface Mesh {
  readonly tables: Tables;
  readonly inbox: boolean;
  readonly used?: (machine: keyof Tables, state: string, input: string) => void;
}

/** One event at one consumer: the dispatch is the only one with two. */
export const letters = [
  'reservation.requested',
  'reservation.withdrawn',
  'payment.requested',
  'payment.withdrawn',
  'shipment.requested',
  'shipment.withdrawn',
  'reservation.confirmed',
  'reservation.refused',
  'payment.captured',
  'payment.declined',
  'payment.reversed',
  'shipment.dispatched',
  'shipment.dispatched to inventory',
  'shipment.cancelled',
] as const;
export type Letter = (typeof letters)[number];

/** A request to the bank, under way from when a worker means to send it until it is lost. */
export const calls = ['charge.post', 'charge.get', 'reverse.post', 'reverse.get'] as const;
export type Call = (typeof calls)[number];

/** A product in a warehouse, with all that was ever received. */
export type Shelf = reservations.StockRow & reservations.StockCounts & { readonly received: number };

/** One order as all services see it, the bank's ledger, and what is under way between them. */
export interface World {
  readonly wanted: readonly reservations.WantedLine[];
  /** Whether the card bears the charge. */
  readonly covered: boolean;
  readonly order: orders.OrderState | 'none';
  readonly reservation: reservations.ReservationState;
  readonly taken: readonly reservations.AllocatedLine[];
  readonly payment: payments.PaymentState;
  readonly reversalTried: boolean;
  /** All that the bank ever said of this key, oldest first. */
  readonly ledger: readonly [ChargeState, ...ChargeState[]];
  readonly shipment: shipments.ShipmentState;
  /** `sent` is in the producer's outbox, `handled` in the consumer's inbox too; what is lost is found by catch-up. */
  readonly mail: Readonly<Partial<Record<Letter, 'sent' | 'handled' | 'sent twice'>>>;
  readonly calls: Readonly<Record<Call, boolean>>;
  /** Shared by all orders. */
  readonly stock: readonly Shelf[];
}

/** The world before an order is placed. */
export function newWorld({ wanted, covered, stock }: Pick<World, 'wanted' | 'covered' | 'stock'>): World {
  return {
    wanted,
    covered,
    order: 'none',
    reservation: 'none',
    taken: [],
    payment: 'none',
    reversalTried: false,
    ledger: ['none'],
    shipment: 'none',
    mail: {},
    calls: { 'charge.post': false, 'charge.get': false, 'reverse.post': false, 'reverse.get': false },
    stock,
  };
}

/** A full shelf of a product. */
export function newShelf(productId: string, warehouse: string, received: number): Shelf {
  return { productId, warehouse, received, available: received, reserved: 0, shipped: 0 };
}

/** What the bank says of the order's key now. */
export function chargeOf(world: World): ChargeState {
  return world.ledger.at(-1) ?? world.ledger[0];
}

/** Gives the same text for the same world, from every part in which two worlds of one walk can differ. */
export function keyOf(world: World): string {
  let key = `${world.covered}|${world.order}|${world.reservation}|${world.payment}|${world.reversalTried}|${world.shipment}`;
  for (const entry of world.ledger) key += `>${entry}`;
  for (const letter of letters) key += `,${world.mail[letter] ?? ''}`;
  for (const call of calls) key += world.calls[call] ? '+' : '-';
  for (const { available, reserved, shipped } of world.stock) key += `|${available}/${reserved}/${shipped}`;
  return key;
}
