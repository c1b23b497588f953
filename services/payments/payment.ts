import { listed, type Table } from '../_chassis/impossible.ts';

/** Where the payment of one order stands; `voided` without a request before it is a tombstone. */
export type PaymentState =
  'none' | 'charging-unsent' | 'charging-sent' | 'captured' | 'declined' | 'reversing' | 'refunded' | 'voided';

/** What a payment can ask of the bank, always with the order's id as key. */
export type BankQuestion = 'charge' | 'reverse';

/** What the bank's books say of a key. */
export type BankFinding = 'none' | 'captured' | 'declined' | 'voided' | 'refunded';

/** What a try ended with; `unknown` is a time-out, a 5xx, an open breaker, a lost answer: never a "no". */
export type BankOutcome = Exclude<BankFinding, 'none'> | 'unknown';

/** What can happen to a payment; an answer of the bank names the question it answers. */
export type PaymentInput = 'payment.requested' | 'payment.withdrawn' | 'lease' | `${BankQuestion}.${BankOutcome}`;

/** What became of the money that was asked back. */
export type ReversalOutcome = 'voided' | 'refunded' | 'declined';

/** What orders is told. */
export type PaymentAnswer =
  | { readonly kind: 'payment.captured' }
  | { readonly kind: 'payment.declined' }
  | { readonly kind: 'payment.reversed'; readonly outcome: ReversalOutcome };

/** A row that changes something; what it leaves out stays as it is, or is not said. */
export interface PaymentMove {
  readonly becomes?: PaymentState;
  readonly answer?: PaymentAnswer;
}

/** `unchanged`: expected, late or overtaken. */
export type PaymentTable = Table<PaymentState, PaymentInput, PaymentMove | 'unchanged'>;

/** What to do about an input: state and answer in one transaction. */
export type PaymentDecision =
  | { readonly kind: 'moved'; readonly state: PaymentState; readonly answer: PaymentAnswer | undefined }
  | { readonly kind: 'unchanged' };

const captured = { kind: 'payment.captured' } as const;
const declined = { kind: 'payment.declined' } as const;
const reversed = (outcome: ReversalOutcome) => ({ kind: 'payment.reversed', outcome }) as const;

/** Answers to a question that the payment no longer asks, from a worker that lost its lease. */
const lateCharge = {
  'charge.captured': 'unchanged',
  'charge.declined': 'unchanged',
  'charge.voided': 'unchanged',
  'charge.refunded': 'unchanged',
  'charge.unknown': 'unchanged',
} as const;
const lateReverse = {
  'reverse.refunded': 'unchanged',
  'reverse.voided': 'unchanged',
  'reverse.declined': 'unchanged',
  'reverse.unknown': 'unchanged',
} as const;

/** Every pair of state and input that can occur; all others are impossible. */
export const paymentTable: PaymentTable = {
  none: {
    'payment.requested': { becomes: 'charging-unsent' },
    // The withdrawal overtook its request: the tombstone answers for both.
    'payment.withdrawn': { becomes: 'voided', answer: reversed('voided') },
  },
  'charging-unsent': {
    // `sent` is written before the call, so that what is unsent can be voided without asking the bank.
    lease: { becomes: 'charging-sent' },
    'payment.withdrawn': { becomes: 'voided', answer: reversed('voided') },
  },
  'charging-sent': {
    lease: 'unchanged',
    'charge.captured': { becomes: 'captured', answer: captured },
    'charge.declined': { becomes: 'declined', answer: declined },
    'charge.unknown': 'unchanged',
    // No answer yet: whether money was taken only the bank knows.
    'payment.withdrawn': { becomes: 'reversing' },
  },
  captured: {
    'payment.withdrawn': { becomes: 'reversing' },
    ...lateCharge,
  },
  declined: {
    'payment.withdrawn': 'unchanged', // payment.declined answers it too
    ...lateCharge,
  },
  reversing: {
    lease: 'unchanged',
    'reverse.refunded': { becomes: 'refunded', answer: reversed('refunded') },
    'reverse.voided': { becomes: 'voided', answer: reversed('voided') },
    'reverse.declined': { becomes: 'voided', answer: reversed('declined') },
    'reverse.unknown': 'unchanged',
    ...lateCharge,
  },
  refunded: { ...lateCharge, ...lateReverse },
  voided: {
    'payment.requested': 'unchanged',
    ...lateCharge,
    ...lateReverse,
  },
};

/** How a try goes on: call the bank, or end with this outcome. */
export type BankStep = 'post' | 'get' | BankOutcome;

/** For each question: its first try, every later one, and what each finding of a GET leads to. */
export type BankTries = Readonly<Record<BankQuestion, Readonly<Record<'first' | 'again' | BankFinding, BankStep>>>>;

/**
 * A later try asks by key first, because the answer to a POST may be lost for ever. `none` is never a result, a charge
 * may still be on its way: only a POST settles it, of the same question with the same key.
 */
export const bankTries: BankTries = {
  charge: {
    first: 'post',
    again: 'get',
    none: 'post',
    captured: 'captured',
    declined: 'declined',
    voided: 'voided',
    refunded: 'refunded',
  },
  reverse: {
    first: 'post',
    again: 'get',
    none: 'post',
    captured: 'post',
    declined: 'declined',
    voided: 'voided',
    refunded: 'refunded',
  },
};

/** Decides what an input does to a payment; throws ImpossibleInput for a pair the table does not list. */
export function decidePayment(state: PaymentState, input: PaymentInput, table = paymentTable): PaymentDecision {
  const row = listed('payments', table, state, input);
  if (row === 'unchanged') return { kind: row };
  return { kind: 'moved', state: row.becomes ?? state, answer: row.answer };
}

/** Gives the question that a payment in this state has for the bank, so that a worker may lease it; else nothing. */
export function bankQuestion(state: PaymentState): BankQuestion | undefined {
  if (state === 'charging-unsent' || state === 'charging-sent') return 'charge';
  return state === 'reversing' ? 'reverse' : undefined;
}

/** Says what to do next in a try, from its being the question's first or a later one, or from what a GET found. */
export function bankTry(question: BankQuestion, known: 'first' | 'again' | BankFinding, tries = bankTries): BankStep {
  return tries[question][known];
}
