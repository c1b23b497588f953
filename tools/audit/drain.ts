import { z } from 'zod';
import { bankQuestion, paymentTable, type PaymentState } from '../../services/payments/payment.ts';
import type { Book, Books } from './books.ts';
import { ends } from './orders.ts';
import { topics } from './subscriptions.ts';

/** What is not at its end yet, each with how many of it. */
export interface OpenWork {
  readonly orders: readonly Count[];
  /** Questions to the bank, by the payment's state. */
  readonly questions: readonly Count[];
  /** Events that a subscriber's inbox does not hold as handled or failed, as `topic at subscriber`. */
  readonly events: readonly Count[];
}

interface Count {
  readonly what: string;
  readonly count: number;
}

const countRow = z.object({ what: z.string(), count: z.number() });
const quoted = (names: readonly string[]) => names.map((name) => `'${name}'`).join(', ');
const isPaymentState = (name: string): name is PaymentState => name in paymentTable;
const asking = Object.keys(paymentTable)
  .filter(isPaymentState)
  .filter((state) => bankQuestion(state) !== undefined);

/** Counts what is open. Numbers of rows are compared here, not the rows: that is for the check of I8, once it is all there. */
export async function openWork(books: Books): Promise<OpenWork> {
  const { orders, payments } = books;
  const states = (book: Book, table: string, where: string) =>
    book.rows(
      countRow,
      `select state as what, count(*)::int as count from ${table} where state ${where} group by 1 order by 1`,
    );
  const [unfinished, questions, events] = await Promise.all([
    states(orders, 'orders', `not in (${quoted(ends)})`),
    states(payments, 'payments', `in (${quoted(asking)})`),
    lackingEvents(books),
  ]);
  return { orders: unfinished, questions, events };
}

async function lackingEvents(books: Books): Promise<Count[]> {
  const lacking: Count[] = [];
  for (const { producer, topic, consumers } of topics) {
    const outbox = books.messengers.get(producer);
    if (!outbox || consumers.length === 0) continue;
    const said = await countOf(outbox, `outbox where topic = '${topic}'`);
    for (const consumer of consumers) {
      const inbox = books.messengers.get(consumer);
      if (!inbox) continue;
      const finished = await countOf(
        inbox,
        `inbox where source = 'urn:sidecart:${producer}' and topic = '${topic}' and status <> 'pending'`,
      );
      if (finished < said) lacking.push({ what: `${topic} at ${consumer}`, count: said - finished });
    }
  }
  return lacking;
}

async function countOf(book: Book, rows: string): Promise<number> {
  const [row] = await book.rows(countRow, `select '' as what, count(*)::int as count from ${rows}`);
  return row?.count ?? 0;
}

/** Whether all is over. */
export const isDrained = (open: OpenWork): boolean =>
  open.orders.length === 0 && open.questions.length === 0 && open.events.length === 0;

/** What is open, as lines for a person. */
export function describeOpen({ orders, questions, events }: OpenWork): string[] {
  const list = (counts: readonly Count[]) => counts.map(({ what, count }) => `${count} ${what}`).join(', ');
  return [
    ...(orders.length > 0 ? [`unfinished orders: ${list(orders)}`] : []),
    ...(questions.length > 0 ? [`open questions to the bank: ${list(questions)}`] : []),
    ...(events.length > 0 ? [`events not handled: ${list(events)}`] : []),
  ];
}
