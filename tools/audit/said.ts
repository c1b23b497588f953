import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import {
  evolveOrder,
  orderStatus,
  orderTable,
  type OrderEventType,
  type OrderState,
} from '../../services/orders/order.ts';
import type { Dossier, SaidRow } from './dossier.ts';
import type { Findings } from './findings.ts';
import { shown } from './orders.ts';

/** I8 at the producers: whatever changed in a book was said in its outbox in the same transaction, and nothing else was. */
export function checkSaid(findings: Findings, dossier: Dossier): void {
  checkSaidByOrders(findings, dossier);
  checkAnswers(findings, dossier);
}

const factData = z.object({ orderId: z.string(), version: z.number(), status: z.string() });

function checkSaidByOrders(findings: Findings, { id, events, saidByOrders }: Dossier): void {
  const facts = saidByOrders.filter(({ topic }) => topic === 'orders.events');
  findings.checked('I8', events.length);
  let state: OrderState | 'none' = 'none';
  const history: OrderEventType[] = [];
  for (const { version, type } of events) {
    if (!isEventType(type)) return; // I9 says so
    try {
      state = evolveOrder(state, type);
    } catch {
      return; // I9 says so
    }
    history.push(type);
    const wanted = { name: `orders.order.${type}`, orderId: id, version, status: orderStatus(state) };
    const said = facts
      .map(({ name, data }) => ({ name, ...factData.safeParse(data).data }))
      .filter((fact) => fact.version === version);
    if (said.length !== 1) findings.wrong('I8', id, `event ${version} (${type}) is ${said.length} times in the outbox`);
    for (const fact of said) {
      if (!isDeepStrictEqual(fact, wanted))
        findings.wrong('I8', id, `event ${version} is ${type}, the outbox says ${shown(fact)}`);
    }
  }
  if (facts.length > events.length)
    findings.wrong('I8', id, `${facts.length} facts in the outbox for ${events.length} events`);
  const sent = saidByOrders
    .filter(({ topic }) => topic !== 'orders.events')
    .map(({ name }) => name.slice('orders.'.length));
  const path = history.join(', ') || 'none';
  const allowed = messagesOf(history);
  if (allowed.length === 0) findings.wrong('I9', id, `no decisions lead to the history ${path}`);
  else if (!allowed.includes(listed(sent)))
    findings.wrong('I8', id, `with the history ${path} goes ${allowed.join(' or ')}; sent: ${listed(sent)}`);
}

const eventTypes = new Set<string>(
  Object.values(orderTable)
    .flatMap((row) => Object.values(row))
    .flatMap((move) => (typeof move === 'object' ? move.events : [])),
);
const isEventType = (text: string): text is OrderEventType => eventTypes.has(text);

const listed = (messages: readonly string[]) => (messages.length === 0 ? 'nothing' : [...messages].sort().join(', '));

// There are only a dozen histories, however many orders.
const known = new Map<string, readonly string[]>();

/** What may have been sent along with a history: every way through the service's own table that leads to it. */
function messagesOf(history: readonly OrderEventType[]): readonly string[] {
  const name = history.join();
  const found = known.get(name) ?? [...new Set(waysTo('none', history).map(listed))];
  known.set(name, found);
  return found;
}

function waysTo(state: OrderState | 'none', history: readonly OrderEventType[]): string[][] {
  if (history.length === 0) return [[]];
  return Object.values(orderTable[state]).flatMap((move) => {
    if (typeof move !== 'object' || !move.events.every((type, index) => history[index] === type)) return [];
    let after = state;
    for (const type of move.events) after = evolveOrder(after, type);
    return waysTo(after, history.slice(move.events.length)).map((later) => [...move.messages, ...later]);
  });
}

type Times = readonly [least: number, most: number];
const never: Times = [0, 0];
const once: Times = [1, 1];
const perhaps: Times = [0, 1];

const reservationSays: Readonly<Record<string, Readonly<Record<string, Times>>>> = {
  none: { confirmed: never, refused: never },
  reserved: { confirmed: once, refused: never },
  shipped: { confirmed: once, refused: never },
  refused: { confirmed: never, refused: once },
  // With lines it was reserved before; without, it is a tombstone.
  'released with lines': { confirmed: once, refused: never },
  released: { confirmed: never, refused: never },
};
const paymentSays: Readonly<Record<string, Readonly<Record<string, Times>>>> = {
  none: { captured: never, declined: never, reversed: never },
  'charging-unsent': { captured: never, declined: never, reversed: never },
  'charging-sent': { captured: never, declined: never, reversed: never },
  captured: { captured: once, declined: never, reversed: never },
  declined: { captured: never, declined: once, reversed: never },
  reversing: { captured: perhaps, declined: never, reversed: never },
  // Withdrawn while the charge was on its way: then nobody was told of the capture.
  refunded: { captured: perhaps, declined: never, reversed: once },
  voided: { captured: never, declined: never, reversed: once },
};
const shipmentSays: Readonly<Record<string, Readonly<Record<string, Times>>>> = {
  none: { dispatched: never, cancelled: never },
  picking: { dispatched: never, cancelled: never },
  packed: { dispatched: never, cancelled: never },
  dispatched: { dispatched: once, cancelled: never },
  cancelled: { dispatched: never, cancelled: once },
};

/** The worker's answers follow from the state that its row has come to. */
function checkAnswers(findings: Findings, dossier: Dossier): void {
  const { id, reservations, lines, payments, fulfillments } = dossier;
  const reservation = reservations[0]?.state ?? 'none';
  const released = reservation === 'released' && lines.length > 0 ? 'released with lines' : reservation;
  const books = [
    ['reservation', released, reservationSays, dossier.saidByInventory],
    ['payment', payments[0]?.state ?? 'none', paymentSays, dossier.saidByPayments],
    ['shipment', fulfillments[0]?.state ?? 'none', shipmentSays, dossier.saidByFulfillment],
  ] as const;
  for (const [book, state, table, said] of books) {
    const wanted = table[state];
    if (!wanted) {
      findings.wrong('I9', id, `there is no ${book} state ${state}`);
      continue;
    }
    findings.checked('I8', said.length);
    for (const [answer, [least, most]] of Object.entries(wanted)) {
      const times = countOf(said, `.${book}.${answer}`);
      if (times < least || times > most)
        findings.wrong('I8', id, `${book} is ${state}, and ${book}.${answer} is ${times} times in the outbox`);
    }
  }
}

/** How often an event whose name ends so was said. */
export const countOf = (said: readonly SaidRow[], name: string): number =>
  said.filter((row) => row.name.endsWith(name)).length;
