import { z } from 'zod';
import type { Database, Transaction } from '../_chassis/database.ts';
import { home, waitAfter } from './account.ts';
import { digestOf } from './sealing.ts';

const freeMails = 3;
const row = z.object({ failures: z.number(), left: z.number() });

/**
 * Counts a try as a failure before it is known to be one, so that many at once gain nothing, and gives 0; or counts nothing
 * and gives the milliseconds until the next is allowed. After an hour without a try the count begins anew.
 */
export const countTry = (database: Database, key: string, free: number): Promise<number> =>
  database.of(home).transaction((tx) => countIn(tx, key, free));

async function countIn(tx: Transaction, key: string, free: number): Promise<number> {
  await tx.query(
    `insert into tries (tenant, key, failures, last_at) values ($1, $2, 0, clock_timestamp()) on conflict do nothing`,
    [home, key],
  );
  const [found] = await tx.query(
    `select case when last_at < clock_timestamp() - interval '1 hour' then 0 else failures end as failures,
            greatest(0, extract(epoch from blocked_until - clock_timestamp()) * 1000)::float8 as left
       from tries where tenant = $1 and key = $2 for update`,
    [home, key],
  );
  const { failures, left } = row.parse(found);
  if (left > 0) return left;
  tx.write(
    `update tries set failures = $3, last_at = clock_timestamp(),
            blocked_until = clock_timestamp() + make_interval(secs => $4::float8 / 1000)
      where tenant = $1 and key = $2`,
    [home, key, failures + 1, waitAfter(failures + 1, free)],
  );
  return 0;
}

/** At home: whether another mail may go to an address, whoever asks for it, so that nobody is buried under them. */
export const mayMail = async (tx: Transaction, email: string): Promise<boolean> =>
  (await countIn(tx, `mails to:${digestOf(email)}`, freeMails)) === 0;

/** Takes back a try that was none, or all of them. */
export function forgiveTry(tx: Transaction, key: string, all: boolean): void {
  tx.write(
    `update tries set failures = case when $3 then 0 else greatest(0, failures - 1) end, blocked_until = 'epoch'
      where tenant = $1 and key = $2`,
    [home, key, all],
  );
}
