import type { Transaction } from '../_chassis/database.ts';
import { finish, schedule } from '../_chassis/due-work.ts';
import { fulfillmentContract } from './contract.ts';
import { nextWork, type ShipmentDecision } from './shipment.ts';
import { bookShipment, moveFulfillment, type Standing } from './store.ts';

/** The kind of due work that picks and packs; there is one for every order that is not done, for its very state. */
export const stepKind = 'step';

/** How long picking and packing an order take, in milliseconds. */
export interface Pace {
  readonly pickMs: number;
  readonly packMs: number;
}

/** Carries out a decision about an order: state, answer and next step; false where the order is no longer in that state. */
export type Advance = (
  tx: Transaction,
  from: Standing,
  decision: ShipmentDecision,
  reason?: string,
) => Promise<boolean>;

const { ShipmentDispatched, ShipmentCancelled } = fulfillmentContract.events;

/** `wake` is called once a step is committed, with the milliseconds until it is due. */
export function createAdvance(pace: Pace, wake: (inMs: number) => void): Advance {
  return async (tx, from, decision, reason = 'withdrawn') => {
    if (decision.kind === 'unchanged') return true;
    const moved = await moveFulfillment(tx, from, decision.state);
    if (!moved) return false;
    const { tenant, orderId, state, lines } = moved;
    const next = nextWork(state);
    if (next) {
      const inMs = next === 'pack' ? pace.pickMs : pace.packMs;
      schedule(tx, { kind: stepKind, subject: orderId, tenant, state, inMs });
      tx.afterCommit(() => wake(inMs));
    } else {
      finish(tx, { kind: stepKind, subject: orderId });
    }
    if (decision.answer === 'shipment.dispatched') {
      bookShipment(tx, moved);
      tx.emit(ShipmentDispatched, { subject: orderId, tenant, data: { orderId, lines } });
    } else if (decision.answer === 'shipment.cancelled') {
      tx.emit(ShipmentCancelled, { subject: orderId, tenant, data: { orderId, reason } });
    }
    return true;
  };
}
