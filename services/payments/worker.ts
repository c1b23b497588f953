import type { Database, Transaction } from '../_chassis/database.ts';
import { finish, putOff, restate, startDueWork, type DueWork } from '../_chassis/due-work.ts';
import type { Log } from '../_chassis/log.ts';
import type { Counter } from '../_chassis/metrics.ts';
import { shareTransactions } from '../_chassis/shared-transactions.ts';
import type { Sidecar } from '../_chassis/sidecar.ts';
import type { Worker } from '../_chassis/worker.ts';
import { bankKind, type Advance } from './advance.ts';
import { createTryBank, type TryResult } from './bank.ts';
import { createOutage } from './outage.ts';
import { bankQuestion, decidePayment, type BankQuestion } from './payment.ts';
import { lockPayment, movePayment, type Payment } from './store.ts';

/** Bounds of one try at the bank, and the pause before the next: it doubles from `retryMs` up to `retryLimitMs`. */
export interface BankPace {
  readonly timeoutMs: number;
  readonly retryMs: number;
  readonly retryLimitMs: number;
}

interface Asked {
  readonly work: DueWork;
  readonly payment: Payment;
  readonly question: BankQuestion;
  readonly known: 'first' | 'again';
}

const concurrency = 8;
const idleMs = 1_000;

/**
 * Takes payments to the bank: that it was asked is committed before the call, the call is outside any transaction, and
 * its outcome is written with the answer to orders, if the payment still asks. Unknown is asked again, without end.
 */
export function startBankWorker(
  deps: { database: Database; sidecar: Sidecar; log: Log; advance: Advance; bankTries: Counter },
  { timeoutMs, retryMs, retryLimitMs }: BankPace,
): Worker {
  const { database, log } = deps;
  const transaction = shareTransactions(database, concurrency);
  const leaseMs = 2 * timeoutMs; // outlives the longest try, with its two transactions
  const outage = createOutage({ concurrency, quietMs: leaseMs, log });
  const tryBank = createTryBank({
    ...deps,
    timeoutMs,
    heard() {
      if (outage.heard()) worker.wake();
    },
    unheard: () => outage.unheard(),
  });
  /** Marks the payment as sent; gives nothing where it has moved on since the work was leased. */
  async function begin(tx: Transaction, work: DueWork): Promise<Asked | undefined> {
    const payment = await lockPayment(tx, work.tenant, work.subject);
    const question = payment && bankQuestion(payment.state);
    if (!payment || !question) {
      finish(tx, work);
      return undefined;
    }
    if (payment.state !== work.state) return undefined;
    const decision = decidePayment(payment.state, 'lease');
    if (decision.kind === 'moved') {
      const sent = await movePayment(tx, payment, decision.state);
      return { work: restate(tx, work, sent.state), payment: sent, question, known: 'first' };
    }
    // A reversal has no mark of its own: its first lease is its first try.
    const known = question === 'reverse' && work.attempts === 1 ? 'first' : 'again';
    return { work, payment, question, known };
  }

  /** Writes the outcome; gives in how many milliseconds the question comes again, if it does. */
  async function end(tx: Transaction, { work, question }: Asked, result: TryResult): Promise<number | undefined> {
    const payment = await lockPayment(tx, work.tenant, work.subject);
    if (!payment) throw new Error(`the payment of ${work.subject} is gone`);
    const decision = decidePayment(payment.state, `${question}.${result.outcome}`);
    await deps.advance(tx, payment, decision, result.reason);
    if (result.outcome !== 'unknown' || payment.state !== work.state) return undefined;
    const inMs = Math.min(retryLimitMs, retryMs * 2 ** Math.min(work.attempts - 1, 20));
    putOff(tx, work, inMs);
    return inMs;
  }

  const worker = startDueWork({
    kind: bankKind,
    database,
    log,
    batch: concurrency,
    leaseMs,
    idleMs,
    gate: () => outage.gate(),
    async perform(work) {
      const asked = await transaction(work, (tx) => begin(tx, work));
      if (!asked) return;
      const result = await tryBank(asked.question, asked.known, asked.payment);
      deps.bankTries.inc({ question: asked.question, outcome: result.outcome });
      log.info({ orderId: work.subject, question: asked.question, outcome: result.outcome }, 'bank asked');
      const againInMs = await transaction(work, (tx) => end(tx, asked, result));
      if (againInMs !== undefined) worker.wake(againInMs);
    },
  });
  return worker;
}
