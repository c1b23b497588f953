import { listed, type Table } from '../_chassis/impossible.ts';

/** Where an order stands; while it is being cancelled the state names what it waits for. */
export type OrderState =
  | 'placed'
  | 'reserved'
  | 'paid'
  | 'shipped'
  | 'rejected'
  | 'payment-failed'
  | 'cancelling-shipment'
  | 'cancelling-payment'
  | 'cancelled';

/** What clients are shown; the two kinds of cancelling are one to them. */
export type OrderStatus = Exclude<OrderState, 'cancelling-shipment' | 'cancelling-payment'> | 'cancelling';

/** Everything that can happen to an order: the client's wishes, the workers' answers, its own deadline. */
export type OrderInput =
  | 'place'
  | 'cancel'
  | 'deadline'
  | 'reservation.confirmed'
  | 'reservation.refused'
  | 'payment.captured'
  | 'payment.declined'
  | 'payment.reversed'
  | 'shipment.dispatched'
  | 'shipment.cancelled';

/** What is written to the order's history; each is published as `orders.order.<type>`. */
export type OrderEventType =
  'placed' | 'reserved' | 'paid' | 'shipped' | 'rejected' | 'declined' | 'withdrawn' | 'stopped' | 'cancelled';

/** What orders asks of its workers, and takes back; each is sent at most once per order. */
export type OrderMessage =
  | 'reservation.requested'
  | 'reservation.withdrawn'
  | 'payment.requested'
  | 'payment.withdrawn'
  | 'shipment.requested'
  | 'shipment.withdrawn';

/** A row that changes the order: what is appended to its history and what is sent, in one transaction. */
export interface OrderMove {
  readonly events: readonly OrderEventType[];
  readonly messages: readonly OrderMessage[];
}

/** `unchanged`: expected, late or overtaken. `refused`: the client is told "no". */
export type OrderTable = Table<OrderState | 'none', OrderInput, OrderMove | 'unchanged' | 'refused'>;

/** What to do about an input. */
export type OrderDecision =
  ({ readonly kind: 'moved' } & OrderMove) | { readonly kind: 'unchanged' } | { readonly kind: 'refused' };

/** Every pair of state and input that can occur; all others are impossible. */
export const orderTable: OrderTable = {
  none: {
    place: { events: ['placed'], messages: ['reservation.requested'] },
  },
  placed: {
    'reservation.confirmed': { events: ['reserved'], messages: ['payment.requested'] },
    'reservation.refused': { events: ['rejected'], messages: [] },
    cancel: { events: ['withdrawn', 'cancelled'], messages: ['reservation.withdrawn'] },
    deadline: { events: ['withdrawn', 'cancelled'], messages: ['reservation.withdrawn'] },
  },
  reserved: {
    'payment.captured': { events: ['paid'], messages: ['shipment.requested'] },
    'payment.declined': { events: ['declined'], messages: ['reservation.withdrawn'] },
    cancel: { events: ['withdrawn'], messages: ['payment.withdrawn', 'reservation.withdrawn'] },
    deadline: { events: ['withdrawn'], messages: ['payment.withdrawn', 'reservation.withdrawn'] },
  },
  paid: {
    'shipment.dispatched': { events: ['shipped'], messages: [] },
    // Fulfillment cannot ship it: nobody asked it to stop, so withdrawing and its answer are one step.
    'shipment.cancelled': {
      events: ['withdrawn', 'stopped'],
      messages: ['payment.withdrawn', 'reservation.withdrawn'],
    },
    // Fulfillment may have dispatched already: until it has answered, neither money nor stock may move back.
    cancel: { events: ['withdrawn'], messages: ['shipment.withdrawn'] },
    // By default somebody is told, no more. Listing what `cancel` does would be safe too.
    deadline: 'unchanged',
  },
  'cancelling-shipment': {
    'shipment.dispatched': { events: ['shipped'], messages: [] },
    'shipment.cancelled': { events: ['stopped'], messages: ['payment.withdrawn', 'reservation.withdrawn'] },
    cancel: 'unchanged',
    deadline: 'unchanged',
  },
  'cancelling-payment': {
    'payment.reversed': { events: ['cancelled'], messages: [] },
    'payment.declined': { events: ['cancelled'], messages: [] },
    'payment.captured': 'unchanged', // payments has the withdrawal already, and answers that
    cancel: 'unchanged',
    deadline: 'unchanged',
  },
  cancelled: {
    'reservation.confirmed': 'unchanged',
    'reservation.refused': 'unchanged',
    'payment.captured': 'unchanged',
    cancel: 'unchanged',
    deadline: 'unchanged',
  },
  shipped: { cancel: 'refused', deadline: 'unchanged' },
  rejected: { cancel: 'refused', deadline: 'unchanged' },
  'payment-failed': { cancel: 'refused', deadline: 'unchanged' },
};

/** Where each event leads. A withdrawal before payment waits for nothing: `cancelled` follows it at once. */
const graph: Table<OrderState | 'none', OrderEventType, OrderState> = {
  none: { placed: 'placed' },
  placed: { reserved: 'reserved', rejected: 'rejected', withdrawn: 'cancelling-payment' },
  reserved: { paid: 'paid', declined: 'payment-failed', withdrawn: 'cancelling-payment' },
  paid: { shipped: 'shipped', withdrawn: 'cancelling-shipment' },
  'cancelling-shipment': { shipped: 'shipped', stopped: 'cancelling-payment' },
  'cancelling-payment': { cancelled: 'cancelled' },
  shipped: {},
  rejected: {},
  'payment-failed': {},
  cancelled: {},
};

/** Why a deadline struck; a withdrawal that it causes carries this as its reason. */
export type DeadlineReason =
  'no-answer-in-time' | 'payment-not-in-time' | 'shipment-not-in-time' | 'cancellation-not-in-time';

const deadlines: Readonly<Partial<Record<OrderState, DeadlineReason>>> = {
  placed: 'no-answer-in-time',
  reserved: 'payment-not-in-time',
  paid: 'shipment-not-in-time',
  'cancelling-shipment': 'cancellation-not-in-time',
  'cancelling-payment': 'cancellation-not-in-time',
};

/** Decides what an input does to an order; throws ImpossibleInput for a pair the table does not list. */
export function decideOrder(state: OrderState | 'none', input: OrderInput, table = orderTable): OrderDecision {
  const row = listed('orders', table, state, input);
  return typeof row === 'string' ? { kind: row } : { kind: 'moved', ...row };
}

/** Gives the state after an event, so that replaying a history gives the order's state; throws ImpossibleInput. */
export function evolveOrder(state: OrderState | 'none', event: OrderEventType): OrderState {
  return listed('order history', graph, state, event);
}

/** Gives the status that clients see. */
export function orderStatus(state: OrderState): OrderStatus {
  return state === 'cancelling-shipment' || state === 'cancelling-payment' ? 'cancelling' : state;
}

/** Says whether an order has ended: no event leads out of this state. */
export function isTerminal(state: OrderState): boolean {
  return Object.keys(graph[state]).length === 0;
}

/** Gives the reason of this state's deadline, nothing where there is none; what it does is the table's to say. */
export function deadlineFor(state: OrderState): DeadlineReason | undefined {
  return deadlines[state];
}
