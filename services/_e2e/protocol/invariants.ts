import { nextWork } from '../../fulfillment/shipment.ts';
import { isTerminal } from '../../orders/order.ts';
import { bankQuestion } from '../../payments/payment.ts';
import { chargeOf, letters, type Shelf, type World } from './world.ts';

/** What must hold and does not: the invariant's name, and what is wrong. */
export interface Violation {
  readonly invariant: string;
  readonly detail: string;
}

interface Ending {
  readonly reservation: readonly World['reservation'][];
  readonly payment: readonly World['payment'][];
  readonly charge: readonly World['ledger'][number][];
  readonly shipment: readonly World['shipment'][];
}

/** What the books of all services say of an order that has ended. */
const endings: Readonly<Partial<Record<World['order'], Ending>>> = {
  shipped: { reservation: ['shipped'], payment: ['captured'], charge: ['captured'], shipment: ['dispatched'] },
  rejected: { reservation: ['refused'], payment: ['none'], charge: ['none'], shipment: ['none'] },
  'payment-failed': { reservation: ['released'], payment: ['declined'], charge: ['declined'], shipment: ['none'] },
  cancelled: {
    reservation: ['released', 'refused'],
    payment: ['none', 'voided', 'refunded', 'declined'],
    charge: ['none', 'voided', 'refunded', 'declined'],
    shipment: ['none', 'cancelled'],
  },
};

/** Says whether all is over: the order has ended, every message is handled, nothing is asked or worked on. */
export function isOver(world: World): boolean {
  return (
    world.order !== 'none' &&
    isTerminal(world.order) &&
    Object.values(world.mail).every((state) => state === 'handled') &&
    bankQuestion(world.payment) === undefined &&
    nextWork(world.shipment) === undefined
  );
}

/** Gives what one order breaks, at any moment and when all is over; nothing if all is well. */
export function brokenBy(world: World): Violation | undefined {
  return wrongAtAnyTime(world) ?? (isOver(world) ? wrongAtTheEnd(world) : undefined);
}

/** Gives what a step breaks although the worlds before and after it may be well. */
export function brokenByStep(before: World, after: World): Violation | undefined {
  const dispatched = before.shipment !== 'dispatched' && after.shipment === 'dispatched';
  if (dispatched && before.mail['shipment.withdrawn'] === 'handled') {
    return { invariant: 'I13', detail: 'dispatched after the withdrawal was handled' };
  }
  return undefined;
}

/** Gives what the shared stock breaks: units appear, vanish, are owed, or are held for nobody. */
export function brokenByStock(stock: readonly Shelf[], worlds: readonly World[]): Violation | undefined {
  for (const shelf of stock) {
    const { received, available, reserved, shipped } = shelf;
    const counted = received === available + reserved + shipped && Math.min(available, reserved, shipped) >= 0;
    if (!counted) return { invariant: 'I4', detail: JSON.stringify(shelf) };
    const owed = reserved === held(shelf, worlds, 'reserved') && shipped === held(shelf, worlds, 'shipped');
    if (!owed) return { invariant: 'I10', detail: `not what the reservations say: ${JSON.stringify(shelf)}` };
  }
  return undefined;
}

function held(shelf: Shelf, worlds: readonly World[], state: 'reserved' | 'shipped'): number {
  let quantity = 0;
  for (const { reservation, taken } of worlds) {
    if (reservation !== state) continue;
    for (const line of taken) {
      if (line.productId === shelf.productId && line.warehouse === shelf.warehouse) quantity += line.quantity;
    }
  }
  return quantity;
}

function wrongAtAnyTime(world: World): Violation | undefined {
  const { order, reservation, shipment, mail } = world;
  const charge = chargeOf(world);
  const twice = letters.find((letter) => mail[letter] === 'sent twice');
  if (twice) return { invariant: 'once', detail: `${twice} was sent twice` };
  if (order === 'paid' && charge !== 'captured') return { invariant: 'I3', detail: `paid, the bank says ${charge}` };
  if (order === 'shipped' && shipment !== 'dispatched') return { invariant: 'I5', detail: `shipped, but ${shipment}` };
  if (shipment === 'dispatched' && charge !== 'captured') {
    return { invariant: 'I3', detail: `dispatched, the bank says ${charge}` };
  }
  const underWay = shipment === 'picking' || shipment === 'packed';
  if (underWay && (charge !== 'captured' || reservation !== 'reserved')) {
    return { invariant: 'I6', detail: `${shipment} while reservation is ${reservation} and charge ${charge}` };
  }
  return undefined;
}

function wrongAtTheEnd(world: World): Violation | undefined {
  const { order, reservation, payment, shipment } = world;
  const charge = chargeOf(world);
  const ending = endings[order];
  if (!ending) return { invariant: 'I2', detail: `${order} is no end` };
  const money = order === 'cancelled' ? 'I6' : 'I3';
  const wrong = (invariant: string, what: string) => ({ invariant, detail: `${order} at its end, but ${what}` });
  if (!ending.reservation.includes(reservation)) return wrong('I10', `the reservation is ${reservation}`);
  if (!ending.payment.includes(payment)) return wrong(money, `the payment is ${payment}`);
  if (!ending.charge.includes(charge)) return wrong(money, `the bank says ${charge}`);
  if (!ending.shipment.includes(shipment)) return wrong('I5', `the shipment is ${shipment}`);
  return undefined;
}
