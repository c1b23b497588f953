import type { Transaction } from '../_chassis/database.ts';
import { finish, schedule } from '../_chassis/due-work.ts';
import { paymentsContract } from './contract.ts';
import { bankQuestion, type PaymentAnswer, type PaymentDecision } from './payment.ts';
import { movePayment, type Payment } from './store.ts';

/** The kind of due work that asks the bank; there is one for every payment that has a question, for its very state. */
export const bankKind = 'bank';

/** Carries out a decision about a locked payment: state, answer and the question that it now has for the bank. */
export type Advance = (tx: Transaction, payment: Payment, decision: PaymentDecision, reason?: string) => Promise<void>;

/** `wake` is called once a question is committed, so that the bank is asked at once. */
export function createAdvance(wake: () => void): Advance {
  return async (tx, payment, decision, reason) => {
    if (decision.kind === 'unchanged') return;
    const { tenant, orderId: subject, state } = await movePayment(tx, payment, decision.state);
    if (bankQuestion(state)) {
      schedule(tx, { kind: bankKind, subject, tenant, state, inMs: 0 });
      tx.afterCommit(wake);
    } else {
      finish(tx, { kind: bankKind, subject });
    }
    if (decision.answer) say(tx, payment, decision.answer, reason);
  };
}

const { PaymentCaptured, PaymentDeclined, PaymentReversed } = paymentsContract.events;

function say(tx: Transaction, { tenant, orderId, charge }: Payment, answer: PaymentAnswer, reason = 'declined'): void {
  const about = { subject: orderId, tenant };
  switch (answer.kind) {
    case 'payment.captured':
      if (!charge) throw new Error(`a charge of ${orderId} that nobody asked for`);
      return tx.emit(PaymentCaptured, { ...about, data: { orderId, amount: charge.amount } });
    case 'payment.declined':
      return tx.emit(PaymentDeclined, { ...about, data: { orderId, reason } });
    case 'payment.reversed':
      return tx.emit(PaymentReversed, { ...about, data: { orderId, outcome: answer.outcome } });
  }
}
