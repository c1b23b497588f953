import { setTimeout as delay } from 'node:timers/promises';
import type { TenantDatabase } from '../_chassis/database.ts';
import type { Money } from '../_chassis/money.ts';
import type { Card } from './cards.ts';
import { decideCharge, type ChargeInput } from './charge.ts';
import { countRequest, findCharge, lockCharge, settleCharge, type Charge } from './store.ts';

/** The bank's books; each key's row is locked while it is decided about, and never while a slow charge waits. */
export interface Ledger {
  /** Charges once, and gives the same charge for ever after; `unavailable` means that nothing was done. */
  charge(key: string, amount: Money, card: Card): Promise<Charge | 'unavailable'>;
  find(key: string): Promise<Charge>;
  /** Gives back what was charged; a key that holds nothing yet is burnt, and refuses the charge that comes later. */
  reverse(key: string): Promise<Charge>;
}

/** Keeps the books in PostgreSQL; `stopping` ends the waits for slow charges, which are then not made. */
export function createLedger(deps: { database: TenantDatabase; slowMs: number; stopping: AbortSignal }): Ledger {
  const { database, slowMs, stopping } = deps;

  const decide = (key: string, input: ChargeInput, details: Partial<Charge> = {}): Promise<Charge> =>
    database.transaction(async (tx) => {
      const before = await lockCharge(tx, key);
      const state = decideCharge(before.state, input);
      if (state === before.state) return before;
      const burnt = state === 'voided' && { reason: 'refused: reversed before it was charged' };
      const after = { ...before, ...details, ...burnt, state };
      settleCharge(tx, after);
      return after;
    });

  return {
    async charge(key, amount, { declines, failures = 0, slow = false }) {
      if ((slow || failures > 0) && (await findCharge(database, key)).state === 'none') {
        const { requests, ageMs } = await countRequest(database, key);
        if (requests <= failures) return 'unavailable';
        // A repetition waits for the end of the first request's time, so that repeating never puts it off.
        if (slow) await delay(Math.max(0, slowMs - ageMs), undefined, { signal: stopping });
      }
      if (declines === undefined) return decide(key, 'charge (covered)', { amount });
      return decide(key, 'charge (not covered)', { amount, reason: declines });
    },
    find: (key) => findCharge(database, key),
    reverse: (key) => decide(key, 'reverse'),
  };
}
