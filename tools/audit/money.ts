import { z } from 'zod';
import type { Dossier, EntryRow, OrderRow } from './dossier.ts';
import type { Findings, Invariant } from './findings.ts';
import { endOf, shown } from './orders.ts';
import { countOf } from './said.ts';

interface Sum {
  shipped: number;
  payments: number;
  bank: number;
}

/** I3, and I6 as far as it is about money: orders, payments and the bank's books say the same, of each order and in sum. */
export function createMoneyCheck(findings: Findings) {
  const sums = new Map<string, Sum>();
  const add = (currency: string, key: keyof Sum, amount: number) => {
    const sum = sums.get(currency) ?? { shipped: 0, payments: 0, bank: 0 };
    sums.set(currency, sum);
    sum[key] += amount;
  };
  return {
    check(dossier: Dossier) {
      const { id, orders, payments, charges, entries } = dossier;
      const [order] = orders;
      const [payment] = payments;
      const end = endOf(dossier);
      if (!order) {
        for (const { state } of payments) findings.wrong('I3', id, `payment ${state} for an order that does not exist`);
        for (const { state } of charges) findings.wrong('I3', id, `charge ${state} for an order that does not exist`);
        return;
      }
      checkTotal(findings, dossier, order);
      checkBank(findings, dossier, end === 'cancelled' ? 'I6' : 'I3');
      if (end === undefined) return; // money of an order under way is nobody's yet
      const held = payment?.state === 'captured' ? (payment.amount ?? 0) : 0;
      const net = entries.reduce((sum, entry) => sum + entry.amount, 0);
      const due = end === 'shipped' ? order.amount : 0;
      const invariant = end === 'cancelled' ? 'I6' : 'I3';
      findings.checked(invariant);
      if (net !== due) findings.wrong(invariant, id, `${end} with ${due} due, the bank holds ${net} ${order.currency}`);
      if (held !== due)
        findings.wrong(invariant, id, `${end} with ${due} due, payments holds ${held} ${order.currency}`);
      checkEnd(findings, dossier, end, invariant);
      add(order.currency, 'shipped', due);
      if (held > 0) add(payment?.currency ?? order.currency, 'payments', held);
      for (const entry of entries) add(entry.currency, 'bank', entry.amount);
    },
    finish() {
      for (const [currency, { shipped, payments, bank }] of sums) {
        findings.checked('I3');
        if (shipped !== payments || shipped !== bank)
          findings.wrong('I3', `sum ${currency}`, `shipped ${shipped}, payments holds ${payments}, the bank ${bank}`);
      }
    },
  };
}

const money = z.object({ amount: z.number(), currency: z.string() });
const items = z.array(z.object({ quantity: z.number(), unitPrice: money }));
const placed = z.object({ items, total: money });
const withAmount = z.object({ amount: money });

/** The total is the sum of the lines in whole minor units, wherever it is written. */
function checkTotal(findings: Findings, dossier: Dossier, order: OrderRow): void {
  const { id, events, payments, charges, saidByOrders, saidByPayments } = dossier;
  findings.checked('I3');
  const total = { amount: order.amount, currency: order.currency };
  const differs = (where: string, found: z.infer<typeof money> | undefined) => {
    if (found?.amount !== total.amount || found.currency !== total.currency)
      findings.wrong('I3', id, `the total is ${shown(total)}, ${where} says ${shown(found)}`);
  };
  const add = (where: string, lines: z.infer<typeof items>) => {
    for (const { quantity, unitPrice } of lines) {
      if (!Number.isInteger(unitPrice.amount) || !Number.isInteger(quantity) || unitPrice.currency !== total.currency)
        findings.wrong('I3', id, `${where} has a line of ${quantity} at ${shown(unitPrice)}`);
    }
    const amount = lines.reduce((sum, line) => sum + line.quantity * line.unitPrice.amount, 0);
    differs(`the sum of ${where}`, { amount, currency: total.currency });
  };
  const readModel = items.safeParse(order.items);
  if (readModel.success) add('its lines', readModel.data);
  else findings.wrong('I3', id, 'its lines are unreadable');
  for (const event of events.filter(({ type }) => type === 'placed')) {
    const data = placed.safeParse(event.data).data;
    differs('OrderPlaced', data?.total);
    if (data) add('the lines of OrderPlaced', data.items);
  }
  for (const { name, data } of [...saidByOrders, ...saidByPayments]) {
    if (/\.payment\.(requested|captured)$/.test(name)) differs(name, withAmount.safeParse(data).data?.amount);
  }
  // A tombstone was never asked for an amount, and a key that was burnt or never charged has none.
  for (const { amount, currency } of payments)
    if (amount !== null) differs('payments', { amount, currency: currency ?? '' });
  for (const { amount, currency } of charges)
    if (amount !== null) differs('the bank', { amount, currency: currency ?? '' });
}

const kindsOf: Readonly<Record<string, string>> = { captured: 'charge', refunded: 'charge, refund' };

/** The bank's ledger agrees with its own charge, and with what payments believes of it. */
function checkBank(findings: Findings, { id, payments, charges, entries }: Dossier, invariant: Invariant): void {
  const charge = charges[0]?.state ?? 'none';
  const payment = payments[0]?.state ?? 'none';
  findings.checked(invariant, entries.length);
  if (payments.length > 1) findings.wrong(invariant, id, `${payments.length} payments`);
  const kinds = entries.map(({ kind }) => kind).sort();
  if (kinds.join(', ') !== (kindsOf[charge] ?? ''))
    findings.wrong(invariant, id, `the bank says ${charge}, its ledger has ${kinds.join(', ') || 'no entry'}`);
  for (const entry of entries) checkEntry(findings, id, entry, charges[0]?.amount ?? null, invariant);
  const agreed = agreement[payment];
  if (agreed && !agreed.includes(charge)) findings.wrong(invariant, id, `payments says ${payment}, the bank ${charge}`);
}

function checkEntry(
  findings: Findings,
  id: string,
  entry: EntryRow,
  charged: number | null,
  invariant: Invariant,
): void {
  const expected = entry.kind === 'refund' ? -(charged ?? 0) : charged;
  if (entry.amount !== expected)
    findings.wrong(invariant, id, `a ${entry.kind} of ${entry.amount}, where ${charged ?? 'nothing'} was charged`);
}

/** What the bank may say where payments has no question open; with one open, anything. */
const agreement: Readonly<Record<string, readonly string[]>> = {
  none: ['none'],
  'charging-unsent': ['none'],
  captured: ['captured'],
  declined: ['declined'],
  refunded: ['refunded'],
  voided: ['none', 'voided', 'declined'],
};

const endings: Readonly<Record<string, readonly string[]>> = {
  shipped: ['captured'],
  rejected: ['none'],
  'payment-failed': ['declined'],
  cancelled: ['none', 'voided', 'refunded', 'declined'],
};

function checkEnd(findings: Findings, dossier: Dossier, end: string, invariant: Invariant): void {
  const { id, payments, saidByOrders, saidByPayments } = dossier;
  const payment = payments[0]?.state ?? 'none';
  if (endings[end]?.includes(payment) === false) findings.wrong(invariant, id, `${end}, and its payment is ${payment}`);
  if (countOf(saidByOrders, '.payment.withdrawn') === 0) return;
  const answers = countOf(saidByPayments, '.payment.declined') + countOf(saidByPayments, '.payment.reversed');
  if (answers !== 1) findings.wrong(invariant, id, `the payment was withdrawn, and payments answered ${answers} times`);
}
