import type { Queryable } from './database.ts';

/** One row of a page of the outbox. */
export interface LoggedEvent {
  readonly id: string;
  readonly cursor: string;
  readonly ageMs: number;
}

/**
 * The topic's events after a cursor, in cursor order. Rows of a transaction that is not older than every open one are
 * left for the next page: an identity value or a UUIDv7 is drawn before the commit, so either of them alone would let a
 * reader pass over a row that commits late.
 */
export async function listOutbox(
  db: Queryable,
  page: { topic: string; after: string; limit: number },
): Promise<LoggedEvent[]> {
  const [transactionId, position] = page.after.split(':');
  return db.query<{ id: string; cursor: string; ageMs: number }>(
    `select id, transaction_id::text || ':' || position as cursor,
            (extract(epoch from clock_timestamp() - created_at) * 1000)::float8 as "ageMs"
       from outbox
      where topic = $1
        and (transaction_id, position) > ($2::text::xid8, $3::bigint)
        and transaction_id < pg_snapshot_xmin(pg_current_snapshot())
      order by transaction_id, position
      limit $4`,
    [page.topic, transactionId, position, page.limit],
  );
}

/**
 * The cursor at the end of the log: whatever is committed, or becomes visible, after this statement lies behind it. So who
 * takes it first and then reads the state misses nothing.
 */
export async function outboxEnd(db: Queryable): Promise<string> {
  const [row] = await db.query<{ cursor: string }>(
    `select pg_snapshot_xmin(pg_current_snapshot())::text || ':0' as cursor`,
  );
  return row?.cursor ?? '0:0';
}

/** What `listOutbox` lists, with what it is about and what it says: for a reader in the producer itself. */
export async function tailOutbox(
  db: Queryable,
  page: { topic: string; after: string; limit: number },
): Promise<{ cursor: string; tenant: string; subject: string; data: unknown }[]> {
  const [transactionId, position] = page.after.split(':');
  return db.query<{ cursor: string; tenant: string; subject: string; data: unknown }>(
    `select transaction_id::text || ':' || position as cursor, tenant, subject, envelope -> 'data' as data
       from outbox
      where topic = $1
        and (transaction_id, position) > ($2::text::xid8, $3::bigint)
        and transaction_id < pg_snapshot_xmin(pg_current_snapshot())
      order by transaction_id, position
      limit $4`,
    [page.topic, transactionId, position, page.limit],
  );
}

/** The envelopes of these ids as JSON text; ids that do not exist are passed over. */
export async function readOutbox(db: Queryable, ids: readonly string[]): Promise<string[]> {
  const found = await db.query<{ envelope: string }>(
    'select envelope::text as envelope from outbox where id = any($1) order by transaction_id, position',
    [ids],
  );
  return found.map((row) => row.envelope);
}

/** The envelopes of a topic about these subjects, in the order of the log. */
export async function readAbout(db: Queryable, topic: string, subjects: readonly string[]): Promise<unknown[]> {
  const found = await db.query<{ envelope: unknown }>(
    'select envelope from outbox where topic = $1 and subject = any($2) order by transaction_id, position',
    [topic, subjects],
  );
  return found.map((row) => row.envelope);
}

/**
 * For how many seconds the oldest event of these topics has waited to be listed: one transaction that stays open, in
 * any database of the cluster, holds up every reader, and nothing else would show it. 0 when none waits.
 */
export async function unlistedSeconds(db: Queryable, topics: readonly string[]): Promise<number> {
  const [row] = await db.query<{ seconds: number }>(
    `select coalesce(extract(epoch from clock_timestamp() - min(created_at)), 0)::float8 as seconds
       from outbox
      where topic = any($1) and transaction_id >= pg_snapshot_xmin(pg_current_snapshot())`,
    [topics],
  );
  return row?.seconds ?? 0;
}
