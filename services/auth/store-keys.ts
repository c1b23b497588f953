import { z } from 'zod';
import { home } from './account.ts';
import type { Database, Queryable, Transaction } from '../_chassis/database.ts';
import { publicKey, type PublicKey } from './contract.ts';

const row = z.object({ public_key: publicKey, sealed: z.string() });
export interface StoredKey {
  readonly publicKey: PublicKey;
  readonly sealed: string;
}

/** All keys that are published, the one that signs first; empty before the very first. */
export async function publishedKeys(db: Queryable): Promise<StoredKey[]> {
  const rows = await db.query(
    `select public_key, sealed from signing_keys
      order by signs_from <= clock_timestamp() desc, signs_from desc`,
  );
  return rows.map((found) => {
    const { public_key, sealed } = row.parse(found);
    return { publicKey: public_key, sealed };
  });
}

/** Milliseconds: how long a key signs, how long before that it is published, and how long after. */
export interface KeyTimes {
  readonly rotationMs: number;
  readonly leadMs: number;
  readonly keepMs: number;
}

/** One replica at a time: takes out what has been kept long enough, and says whether the next key is due. */
export async function clearKeys(tx: Transaction, { rotationMs, leadMs, keepMs }: KeyTimes): Promise<boolean> {
  await tx.query(`select pg_advisory_xact_lock(hashtext('signing keys'))`);
  await tx.query(
    `delete from signing_keys as old using signing_keys as newer
      where newer.signs_from > old.signs_from
        and newer.signs_from + make_interval(secs => $1::float8 / 1000) < clock_timestamp()`,
    [keepMs],
  );
  const [due] = await tx.query(
    `select 1 from signing_keys
     having coalesce(max(signs_from), '-infinity') + make_interval(secs => $1::float8 / 1000) <= clock_timestamp()`,
    [rotationMs - leadMs],
  );
  return due !== undefined;
}

/** Adds the key that signs next; the very first signs at once. */
export function addKey(tx: Transaction, key: StoredKey, { rotationMs, leadMs }: KeyTimes): void {
  tx.write(
    `insert into signing_keys (kid, public_key, sealed, signs_from)
     select $1, $2, $3, case when max(signs_from) is null then clock_timestamp() else
       greatest(max(signs_from) + make_interval(secs => $4::float8 / 1000),
                clock_timestamp() + make_interval(secs => $5::float8 / 1000)) end
       from signing_keys`,
    [key.publicKey.kid, JSON.stringify(key.publicKey), key.sealed, rotationMs, leadMs],
  );
}

/** Takes out what has run out: kept payloads, links and counts. */
export async function clearExpired(database: Database): Promise<void> {
  const at = database.of(home);
  await at.query(`delete from oidc_payloads where expires_at < clock_timestamp() - interval '1 hour'`);
  await at.query(`delete from account_links where tenant = $1 and expires_at < clock_timestamp()`, [home]);
  await at.query(
    `delete from tries
      where tenant = $1 and last_at < clock_timestamp() - interval '1 day' and blocked_until < clock_timestamp()`,
    [home],
  );
}
