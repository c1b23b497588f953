import { listed, type Table } from '../_chassis/impossible.ts';

/** Where the shipment of one order stands; `cancelled` without a request before it is a tombstone. */
export type ShipmentState = 'none' | 'picking' | 'packed' | 'dispatched' | 'cancelled';

/** The steps of the people (here: workers) who ship; `give-up` is theirs where the goods cannot be shipped. */
export type ShipmentWork = 'pack' | 'dispatch' | 'give-up';

/** What can happen to a shipment. */
export type ShipmentInput = 'shipment.requested' | 'shipment.withdrawn' | ShipmentWork;

/** What orders is told; inventory hears of the dispatch too. */
export type ShipmentAnswer = 'shipment.dispatched' | 'shipment.cancelled';

/** A row that changes something; what it leaves out stays as it is, or is not said. */
export interface ShipmentMove {
  readonly becomes?: ShipmentState;
  readonly answer?: ShipmentAnswer;
}

/** `unchanged`: expected, late or overtaken. */
export type ShipmentTable = Table<ShipmentState, ShipmentInput, ShipmentMove | 'unchanged'>;

/** What to do about an input: state and answer in one transaction. */
export type ShipmentDecision =
  | { readonly kind: 'moved'; readonly state: ShipmentState; readonly answer: ShipmentAnswer | undefined }
  | { readonly kind: 'unchanged' };

/** Work that began before the shipment moved on, by another worker or by a withdrawal. */
const lateWork = { pack: 'unchanged', dispatch: 'unchanged', 'give-up': 'unchanged' } as const;

/** Every pair of state and input that can occur; all others are impossible. */
export const shipmentTable: ShipmentTable = {
  none: {
    'shipment.requested': { becomes: 'picking' },
    // The withdrawal overtook its request: the tombstone answers for both.
    'shipment.withdrawn': { becomes: 'cancelled', answer: 'shipment.cancelled' },
  },
  picking: {
    pack: { becomes: 'packed' },
    'give-up': { becomes: 'cancelled', answer: 'shipment.cancelled' },
    'shipment.withdrawn': { becomes: 'cancelled', answer: 'shipment.cancelled' },
  },
  packed: {
    dispatch: { becomes: 'dispatched', answer: 'shipment.dispatched' },
    'shipment.withdrawn': { becomes: 'cancelled', answer: 'shipment.cancelled' },
    pack: 'unchanged',
    'give-up': 'unchanged',
  },
  dispatched: {
    'shipment.withdrawn': 'unchanged', // shipment.dispatched answers it too
    ...lateWork,
  },
  cancelled: {
    'shipment.requested': 'unchanged',
    'shipment.withdrawn': 'unchanged', // it was given up, and that has been said
    ...lateWork,
  },
};

/** Decides what an input does to a shipment; throws ImpossibleInput for a pair the table does not list. */
export function decideShipment(state: ShipmentState, input: ShipmentInput, table = shipmentTable): ShipmentDecision {
  const row = listed('fulfillment', table, state, input);
  if (row === 'unchanged') return { kind: row };
  return { kind: 'moved', state: row.becomes ?? state, answer: row.answer };
}

/** Gives the step that brings a shipment forward, nothing where there is none. */
export function nextWork(state: ShipmentState): ShipmentWork | undefined {
  if (state === 'picking') return 'pack';
  return state === 'packed' ? 'dispatch' : undefined;
}
