import type { z } from 'zod';
import { DependencyError } from '../_chassis/errors.ts';
import type { Log } from '../_chassis/log.ts';
import type { Sidecar } from '../_chassis/sidecar.ts';
import { charged, found, reversed } from './expectations.ts';
import { bankTry, type BankFinding, type BankOutcome, type BankQuestion } from './payment.ts';
import type { Payment } from './store.ts';

/** What a try ended with, and the bank's reason where it gave one. */
export interface TryResult {
  readonly outcome: BankOutcome;
  readonly reason?: string | undefined;
}

/** Asks the bank about one payment, by one call or two; never throws because of the bank, that is `unknown`. */
export type TryBank = (question: BankQuestion, known: 'first' | 'again', payment: Payment) => Promise<TryResult>;

/**
 * The bank through the sidecar, whose resiliency.yaml has the time-outs, retries and breaker of a single call; `timeoutMs`
 * bounds the whole try. `heard` is told of every readable answer, `unheard` of a try that brought none.
 */
export function createTryBank(deps: {
  sidecar: Pick<Sidecar, 'invoke'>;
  log: Log;
  timeoutMs: number;
  heard: () => void;
  unheard: () => void;
}): TryBank {
  const { sidecar, log, timeoutMs } = deps;

  async function call<Answer extends z.ZodType>(
    expected: Answer,
    request: { verb: 'GET' | 'POST'; path: string; body?: string; endsAt: number },
  ): Promise<z.output<Answer> | undefined> {
    const { path, endsAt, ...rest } = request;
    try {
      const response = await sidecar.invoke('bank', path, { ...rest, timeoutMs: Math.max(1, endsAt - Date.now()) });
      if (response.status === 200) return expected.parse(JSON.parse(response.body));
      log.warn({ path, status: response.status }, 'the bank gave no result');
    } catch (error) {
      const unreadable = !(error instanceof DependencyError);
      log[unreadable ? 'error' : 'warn']({ path, err: error }, unreadable ? 'unreadable answer' : 'no answer');
    }
    return undefined;
  }

  function post(question: BankQuestion, { orderId, charge }: Payment, endsAt: number) {
    if (question === 'reverse') {
      return call(reversed, { verb: 'POST', path: `${pathOf(orderId)}/reversal`, body: '{}', endsAt });
    }
    const body = JSON.stringify({ key: orderId, ...charge });
    return call(charged, { verb: 'POST', path: '/charges', body, endsAt });
  }

  return async (question, known, payment) => {
    const endsAt = Date.now() + timeoutMs;
    let reason: string | undefined;
    let silent = true;
    let step = bankTry(question, known);
    while (step === 'post' || step === 'get') {
      const posted = step === 'post';
      const answer = posted
        ? await post(question, payment, endsAt)
        : await call(found, { verb: 'GET', path: pathOf(payment.orderId), endsAt });
      if (!answer) {
        if (silent) deps.unheard();
        return { outcome: 'unknown' };
      }
      silent = false;
      deps.heard();
      reason = answer.reason;
      const finding: BankFinding = answer.status;
      if (posted) return { outcome: finding === 'none' ? 'unknown' : finding, reason };
      step = bankTry(question, finding);
    }
    return { outcome: step, reason };
  };
}

const pathOf = (orderId: string) => `/charges/${encodeURIComponent(orderId)}`;
