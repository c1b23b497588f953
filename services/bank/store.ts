import type { Queryable, Transaction } from '../_chassis/database.ts';
import type { Money } from '../_chassis/money.ts';
import type { ChargeState } from './charge.ts';

/** What the books say of one key; the amount is that of the charge which took effect, captured or not. */
export interface Charge {
  readonly key: string;
  readonly state: ChargeState;
  readonly amount?: Money;
  readonly reason?: string;
}

interface ChargeRow extends Record<string, unknown> {
  readonly state: ChargeState;
  readonly amount: string | null;
  readonly currency: string | null;
  readonly reason: string | null;
}

/** Reads a key; one that was never heard of is `none`. */
export async function findCharge(db: Queryable, key: string): Promise<Charge> {
  const [row] = await db.query<ChargeRow>('select state, amount, currency, reason from charges where key = $1', [key]);
  return toCharge(key, row);
}

/** Makes sure the key has a row and locks it until the transaction ends. */
export async function lockCharge(tx: Transaction, key: string): Promise<Charge> {
  tx.write('insert into charges (key) values ($1) on conflict do nothing', [key]);
  const [row] = await tx.query<ChargeRow>(
    'select state, amount, currency, reason from charges where key = $1 for update',
    [key],
  );
  return toCharge(key, row);
}

/** Counts a request to charge; gives how many there were, this one included, and milliseconds since the first. */
export async function countRequest(db: Queryable, key: string): Promise<{ requests: number; ageMs: number }> {
  const [row] = await db.query<{ requests: number; ageMs: number }>(
    `insert into charges as c (key, requests, first_requested_at) values ($1, 1, clock_timestamp())
     on conflict (key) do update
       set requests = c.requests + 1, first_requested_at = coalesce(c.first_requested_at, clock_timestamp())
     returning requests, (extract(epoch from clock_timestamp() - first_requested_at) * 1000)::float8 as "ageMs"`,
    [key],
  );
  return row ?? { requests: 1, ageMs: 0 };
}

/** Writes what became of a locked charge, and the movement of money that goes with it. */
export function settleCharge(tx: Transaction, charge: Charge): void {
  const { key, state, amount, reason } = charge;
  tx.write(
    `update charges set state = $2, amount = $3, currency = $4, reason = $5, updated_at = clock_timestamp()
      where key = $1`,
    [key, state, amount?.amount ?? null, amount?.currency ?? null, reason ?? null],
  );
  if (amount === undefined || (state !== 'captured' && state !== 'refunded')) return;
  const [kind, moved] = state === 'captured' ? ['charge', amount.amount] : ['refund', -amount.amount];
  tx.write('insert into entries (key, kind, amount, currency) values ($1, $2, $3, $4)', [
    key,
    kind,
    moved,
    amount.currency,
  ]);
}

function toCharge(key: string, row: ChargeRow | undefined): Charge {
  return {
    key,
    state: row?.state ?? 'none',
    ...(row?.amount != null &&
      row.currency != null && { amount: { amount: Number(row.amount), currency: row.currency } }),
    ...(row?.reason != null && { reason: row.reason }),
  };
}
