import type { Log } from '../_chassis/log.ts';
import type { PaymentState } from './payment.ts';

/** How many tries in a row, whosever payments they are for, may stay without any answer before the bank counts as down. */
const patience = 3;

const sentStates: readonly PaymentState[] = ['charging-sent', 'reversing'];

/** Whether the bank can be heard, and so how many payments may be taken up at once, and of which states. */
export interface Outage {
  /** Any readable answer: the bank is there. Gives true when it counted as down until now. */
  heard(): boolean;
  /** A whole try without a readable answer. */
  unheard(): void;
  gate(): { limit: number; states?: readonly PaymentState[] };
}

/**
 * While the bank is down only what it has been asked already is asked again, one question at a time, and no new intent is
 * taken up: these stay unsent, and a withdrawal voids them without the bank. Where nothing has been tried for `quietMs`
 * there is nothing sent left to ask about (another replica may have settled it), and one intent serves as the question.
 */
export function createOutage(options: {
  concurrency: number;
  quietMs: number;
  log: Log;
  clock?: () => number;
}): Outage {
  const { concurrency, quietMs, log, clock = Date.now } = options;
  let misses = 0;
  let lastTry = 0;

  return {
    heard() {
      const wasDown = misses >= patience;
      if (wasDown) log.info({ misses }, 'the bank answers again');
      misses = 0;
      return wasDown;
    },
    unheard() {
      misses += 1;
      lastTry = clock();
      if (misses === patience) log.warn('the bank does not answer: no new payment is sent to it');
    },
    gate() {
      if (misses < patience) return { limit: concurrency };
      return clock() - lastTry > quietMs ? { limit: 1 } : { limit: 1, states: sentStates };
    },
  };
}
