import { decideCharge, type ChargeState } from '../../bank/charge.ts';
import { decideShipment, type ShipmentInput } from '../../fulfillment/shipment.ts';
import { allocate, decideReservation, moveStock, type StockEffect } from '../../inventory/reservation.ts';
import { decideOrder, evolveOrder, type OrderInput } from '../../orders/order.ts';
import { bankQuestion, bankTry, decidePayment } from '../../payments/payment.ts';
import type { BankFinding, BankQuestion, BankStep, PaymentInput } from '../../payments/payment.ts';
import { chargeOf, type Call, type Letter, type Mesh, type World } from './world.ts';

/** What a call asks, and how. */
export const parts = {
  'charge.post': { question: 'charge', verb: 'post' },
  'charge.get': { question: 'charge', verb: 'get' },
  'reverse.post': { question: 'reverse', verb: 'post' },
  'reverse.get': { question: 'reverse', verb: 'get' },
} as const satisfies Record<Call, { question: BankQuestion; verb: 'post' | 'get' }>;

function send(world: World, ...letters: readonly Letter[]): World {
  const mail = { ...world.mail };
  for (const letter of letters) mail[letter] = letter in mail ? 'sent twice' : 'sent';
  return { ...world, mail };
}

/** Orders, told of an input: its history grows, its messages are sent. */
export function tellOrders(mesh: Mesh, world: World, input: OrderInput): World {
  mesh.used?.('orders', world.order, input);
  const decision = decideOrder(world.order, input, mesh.tables.orders);
  if (decision.kind !== 'moved') return world;
  let { order } = world;
  for (const event of decision.events) order = evolveOrder(order, event);
  return send({ ...world, order }, ...decision.messages);
}

/** Inventory, told of a message: a request is allocated from the stock of this moment. */
export function tellInventory(
  mesh: Mesh,
  world: World,
  message: 'reservation.requested' | 'reservation.withdrawn' | 'shipment.dispatched',
): World {
  const allocation = allocate(world.wanted, world.stock);
  const requested = allocation.fits ? 'reservation.requested (fits)' : 'reservation.requested (lacking)';
  const input = message === 'reservation.requested' ? requested : message;
  mesh.used?.('inventory', world.reservation, input);
  const decision = decideReservation(world.reservation, input, mesh.tables.inventory);
  if (decision.kind !== 'moved') return world;
  const taken = allocation.fits && decision.state === 'reserved' ? allocation.lines : world.taken;
  const moved = moveShelves(mesh, { ...world, reservation: decision.state, taken }, decision.stock);
  return decision.answer ? send(moved, decision.answer) : moved;
}

function moveShelves(mesh: Mesh, world: World, effect: StockEffect | undefined): World {
  if (!effect) return world;
  const stock = world.stock.map((shelf) => {
    const line = world.taken.find(
      (taken) => taken.productId === shelf.productId && taken.warehouse === shelf.warehouse,
    );
    return line ? { ...shelf, ...moveStock(shelf, effect, line.quantity, mesh.tables.stock) } : shelf;
  });
  return { ...world, stock };
}

/** Payments, told of a message, a lease, or what a try at the bank ended with. */
export function tellPayments(mesh: Mesh, world: World, input: PaymentInput): World {
  mesh.used?.('payments', world.payment, input);
  const decision = decidePayment(world.payment, input, mesh.tables.payments);
  if (decision.kind !== 'moved') return world;
  const moved = { ...world, payment: decision.state };
  return decision.answer ? send(moved, decision.answer.kind) : moved;
}

/** Fulfillment, told of a message or of work done. */
export function tellFulfillment(mesh: Mesh, world: World, input: ShipmentInput): World {
  mesh.used?.('fulfillment', world.shipment, input);
  const decision = decideShipment(world.shipment, input, mesh.tables.fulfillment);
  if (decision.kind !== 'moved') return world;
  const moved = { ...world, shipment: decision.state };
  if (!decision.answer) return moved;
  return decision.answer === 'shipment.dispatched'
    ? send(moved, decision.answer, 'shipment.dispatched to inventory')
    : send(moved, decision.answer);
}

/** A worker of payments leases the row, marks it as sent, and means to call the bank. */
export function lease(mesh: Mesh, world: World): World | undefined {
  const question = bankQuestion(world.payment);
  if (!question) return undefined;
  const first = question === 'charge' ? world.payment === 'charging-unsent' : !world.reversalTried;
  const leased = tellPayments(mesh, world, 'lease');
  const tried = question === 'reverse' && first ? { ...leased, reversalTried: true } : leased;
  return goOn(mesh, tried, question, first ? 'first' : 'again');
}

/** A POST reaches the bank. */
export function tellBank(mesh: Mesh, world: World, call: Call): World {
  const state = chargeOf(world);
  const next = bank(mesh, world, call, state);
  return next === state ? world : { ...world, ledger: [...world.ledger, next] };
}

/**
 * A worker hears what the bank answered when its ledger was so many entries shorter: of a POST that is the result, of a
 * GET it says how to go on. Nothing where the ledger was not that long, or where the POST cannot have been answered so.
 */
export function hear(mesh: Mesh, world: World, call: Call, age: number): World | undefined {
  const said = world.ledger.at(-1 - age);
  if (said === undefined || bank(mesh, world, call, said) !== said) return undefined;
  const { question, verb } = parts[call];
  if (verb === 'get') return goOn(mesh, world, question, said);
  return tellPayments(mesh, world, `${question}.${said === 'none' ? 'unknown' : said}`);
}

function bank(mesh: Mesh, { covered }: World, call: Call, state: ChargeState): ChargeState {
  const charge = covered ? 'charge (covered)' : 'charge (not covered)';
  const { question, verb } = parts[call];
  const post = question === 'charge' ? charge : 'reverse';
  const input = verb === 'get' ? 'get' : post;
  mesh.used?.('bank', state, input);
  return decideCharge(state, input, mesh.tables.bank);
}

function goOn(mesh: Mesh, world: World, question: BankQuestion, known: 'first' | 'again' | BankFinding): World {
  mesh.used?.('tries', question, known);
  const step: BankStep = bankTry(question, known, mesh.tables.tries);
  if (step !== 'post' && step !== 'get') return tellPayments(mesh, world, `${question}.${step}`);
  const call: Call = `${question}.${step}`;
  return world.calls[call] ? world : { ...world, calls: { ...world.calls, [call]: true } };
}
