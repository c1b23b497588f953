import { on, type Subscription } from '../_chassis/consumer.ts';
import { eventType } from '../_chassis/contract.ts';
import type { Transaction } from '../_chassis/database.ts';
import type { Envelope } from '../_chassis/envelope.ts';
import { inventoryContract, warehouse } from './contract.ts';
import * as expected from './expectations.ts';
import {
  allocate,
  decideReservation,
  type AllocatedLine,
  type MissingLine,
  type ReservationDecision,
} from './reservation.ts';
import {
  bookLines,
  lockReservation,
  lockReservedLines,
  lockShelves,
  lockStock,
  setReservation,
  type OrderRef,
} from './store.ts';

const { ReservationConfirmed, ReservationRefused } = inventoryContract.events;

/** Locks the shelves of all these events' orders, those they want something from and those they have something of. */
async function lockShared(tx: Transaction, events: readonly Envelope[]): Promise<void> {
  const wanted = events.flatMap(({ tenant, data }) => {
    const request = expected.reservationRequested.safeParse(data);
    return request.success ? request.data.lines.map(({ productId }) => ({ tenant, productId })) : [];
  });
  const reserved = events.map(({ tenant, subject }) => ({ tenant, orderId: subject }));
  await lockShelves(tx, wanted, reserved);
}

/** What orders asks of the stock and takes back, and what fulfillment has sent away. */
export const subscriptions: readonly Subscription[] = [
  {
    source: 'orders',
    topic: 'inventory.requests',
    lockShared,
    handlers: {
      [eventType('orders', 'reservation.requested')]: on(
        expected.reservationRequested,
        async (tx, { orderId, lines }, { tenant }) => {
          const order = { tenant, orderId };
          const state = await lockReservation(tx, order);
          const products = lines.map((line) => line.productId);
          const allocation = allocate(lines, await lockStock(tx, tenant, products));
          if (allocation.fits) {
            const decision = decideReservation(state, 'reservation.requested (fits)');
            await follow(tx, order, decision, { taken: allocation.lines });
          } else {
            const decision = decideReservation(state, 'reservation.requested (lacking)');
            await follow(tx, order, decision, { missing: allocation.missing });
          }
        },
      ),
      [eventType('orders', 'reservation.withdrawn')]: on(
        expected.reservationWithdrawn,
        async (tx, { orderId }, { tenant }) => {
          const order = { tenant, orderId };
          await follow(tx, order, decideReservation(await lockReservation(tx, order), 'reservation.withdrawn'));
        },
      ),
    },
  },
  {
    source: 'fulfillment',
    topic: 'fulfillment.events',
    lockShared,
    handlers: {
      [eventType('fulfillment', 'shipment.dispatched')]: on(
        expected.shipmentDispatched,
        async (tx, { orderId }, { tenant }) => {
          const order = { tenant, orderId };
          await follow(tx, order, decideReservation(await lockReservation(tx, order), 'shipment.dispatched'));
        },
      ),
    },
  },
];

/** Does what was decided, in the handler's transaction: the new state, the move of every line's stock, the answer. */
async function follow(
  tx: Transaction,
  order: OrderRef,
  decision: ReservationDecision,
  found: { taken?: readonly AllocatedLine[]; missing?: readonly MissingLine[] } = {},
): Promise<void> {
  if (decision.kind === 'unchanged') return;
  const { state, stock: effect, answer } = decision;
  const lines = effect === undefined ? [] : (found.taken ?? (await lockReservedLines(tx, order)));
  if (effect === undefined) setReservation(tx, order, state);
  else bookLines(tx, order, { state, effect, lines });

  const { tenant, orderId } = order;
  const message = { subject: orderId, tenant };
  if (answer === 'reservation.confirmed') {
    const placed = lines.map((line) => ({ ...line, warehouse: warehouse.parse(line.warehouse) }));
    tx.emit(ReservationConfirmed, { ...message, data: { orderId, lines: placed } });
  } else if (answer === 'reservation.refused') {
    tx.emit(ReservationRefused, { ...message, data: { orderId, missing: [...(found.missing ?? [])] } });
  }
}
