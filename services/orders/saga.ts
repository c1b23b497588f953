import type { EventDefinition } from '../_chassis/contract.ts';
import type { Database, Transaction } from '../_chassis/database.ts';
import { finish, schedule, startDueWork } from '../_chassis/due-work.ts';
import type { Log } from '../_chassis/log.ts';
import { Counter, type Metrics } from '../_chassis/metrics.ts';
import type { Worker } from '../_chassis/worker.ts';
import { uuidv7 } from '../_chassis/uuid.ts';
import { ordersContract, type Order } from './contract.ts';
import {
  deadlineFor,
  decideOrder,
  isTerminal,
  type OrderEventType,
  type OrderInput,
  type OrderMessage,
  type OrderState,
} from './order.ts';
import type { AllocatedLines, OrderEvent, OrderRecord } from './record.ts';
import { appendEvents, lockOrder } from './store.ts';

const { events } = ordersContract;
const deadlineKind = 'deadline';

/** How long an order may stay in a state, in milliseconds; the last is only told about. */
export interface Deadlines {
  readonly placedMs: number;
  readonly reservedMs: number;
  readonly overdueMs: number;
}

export interface Saga {
  /** Places a new order: its history, its first message and its deadline. */
  place(tx: Transaction, order: NewOrder): OrderRecord;
  /** Applies an input to an order that is locked; gives it as it is then, or undefined when the answer is "no". */
  advance(
    tx: Transaction,
    record: OrderRecord,
    input: Exclude<OrderInput, 'place'>,
    details?: Details,
  ): OrderRecord | undefined;
  /** Starts the worker that finds orders whose time in a state is over. */
  startDeadlines(): Worker;
}

export interface NewOrder {
  readonly tenant: string;
  readonly customerId: string;
  readonly items: Order['items'];
  readonly total: Order['total'];
  readonly paymentToken: string;
}

interface Details {
  readonly reason?: string | undefined;
  readonly lines?: AllocatedLines;
}

/** The order's way through the mesh: what each decision writes, sends and sets a time for, in the caller's transaction. */
export function createSaga(deps: {
  database: Database;
  log: Log;
  metrics: Metrics;
  deadlines: Deadlines;
  clock?: () => Date;
}): Saga {
  const { database, log, deadlines, clock = () => new Date() } = deps;
  const overdue = new Counter({
    name: 'sidecart_orders_overdue_total',
    help: 'Orders that stayed in a state past its time, where nothing but telling is to be done',
    labelNames: ['state'],
    registers: [deps.metrics.registry],
  });

  function move(
    tx: Transaction,
    before: OrderRecord | undefined,
    recorded: readonly OrderEvent[],
    messages: readonly OrderMessage[],
  ): OrderRecord {
    const record = appendEvents(tx, before, recorded);
    const { tenant, id: orderId } = record;
    for (const [index, event] of recorded.entries()) {
      const fact = facts[event.type];
      // The position of the event in the history gives the status that it led to.
      const status = record.history[event.version - 1]?.status ?? 'placed';
      tx.emit(fact, { subject: orderId, tenant, data: { orderId, status, version: event.version } });
      if (index > 0) continue;
      const reason = record.history.findLast((move) => move.reason !== undefined)?.reason ?? 'customer';
      for (const message of messages) send(tx, record, message, reason);
    }
    setDeadline(tx, record);
    return record;
  }

  function setDeadline(tx: Transaction, { id: subject, tenant, state }: OrderRecord): void {
    if (isTerminal(state)) finish(tx, { kind: deadlineKind, subject });
    else schedule(tx, { kind: deadlineKind, subject, tenant, state, inMs: msFor(state, deadlines) });
  }

  const saga: Saga = {
    place(tx, { tenant, ...data }) {
      const decision = decideOrder('none', 'place');
      if (decision.kind !== 'moved') throw new Error('an order that cannot be placed');
      const placed: OrderEvent = { tenant, orderId: uuidv7(), version: 1, at: clock(), type: 'placed', data };
      return move(tx, undefined, [placed], decision.messages);
    },

    advance(tx, record, input, details = {}) {
      const decision = decideOrder(record.state, input);
      if (decision.kind === 'refused') return undefined;
      if (decision.kind === 'unchanged') return record;
      const at = clock();
      const recorded = decision.events.map((type, index) =>
        toEvent(record, type, record.version + 1 + index, at, details),
      );
      return move(tx, record, recorded, decision.messages);
    },

    startDeadlines: () =>
      startDueWork({
        kind: deadlineKind,
        database,
        log,
        batch: 20,
        leaseMs: 10_000,
        idleMs: 500,
        perform: ({ tenant, subject, state }) =>
          database.of(tenant).transaction(async (tx) => {
            const record = await lockOrder(tx, tenant, subject);
            if (record?.state === state) {
              const after = saga.advance(tx, record, 'deadline', { reason: deadlineFor(record.state) });
              if (after === record) {
                overdue.inc({ state });
                log.warn({ orderId: subject, state }, 'order overdue');
              }
            }
            finish(tx, { kind: deadlineKind, subject, state });
          }),
      }),
  };
  return saga;
}

const facts: Record<OrderEventType, EventDefinition> = {
  placed: events.OrderPlaced,
  reserved: events.OrderReserved,
  paid: events.OrderPaid,
  shipped: events.OrderShipped,
  rejected: events.OrderRejected,
  declined: events.OrderDeclined,
  withdrawn: events.OrderWithdrawn,
  stopped: events.ShipmentStopped,
  cancelled: events.OrderCancelled,
};

function toEvent(record: OrderRecord, type: OrderEventType, version: number, at: Date, details: Details): OrderEvent {
  const base = { tenant: record.tenant, orderId: record.id, version, at };
  if (type === 'placed') throw new Error('an order is placed only once');
  if (type === 'reserved') return { ...base, type, data: { lines: details.lines ?? [] } };
  return { ...base, type, data: details.reason === undefined ? {} : { reason: details.reason } };
}

/** Everything a message says comes from the order as it was placed and reserved, never from today's prices. */
function send(tx: Transaction, record: OrderRecord, message: OrderMessage, reason: string): void {
  const { id: orderId, tenant, items, total, paymentToken, allocation = [] } = record;
  const to = { subject: orderId, tenant };
  switch (message) {
    case 'reservation.requested': {
      const lines = items.map(({ productId, quantity }) => ({ productId, quantity }));
      return tx.emit(events.ReservationRequested, { ...to, data: { orderId, lines } });
    }
    case 'reservation.withdrawn':
      return tx.emit(events.ReservationWithdrawn, { ...to, data: { orderId, reason } });
    case 'payment.requested':
      return tx.emit(events.PaymentRequested, { ...to, data: { orderId, amount: total, paymentToken } });
    case 'payment.withdrawn':
      return tx.emit(events.PaymentWithdrawn, { ...to, data: { orderId, reason } });
    case 'shipment.requested':
      return tx.emit(events.ShipmentRequested, { ...to, data: { orderId, lines: allocation } });
    case 'shipment.withdrawn':
      return tx.emit(events.ShipmentWithdrawn, { ...to, data: { orderId, reason } });
  }
}

const msFor = (state: OrderState, deadlines: Deadlines): number =>
  state === 'placed' ? deadlines.placedMs : state === 'reserved' ? deadlines.reservedMs : deadlines.overdueMs;
