import type { Queryable } from './database.ts';

/** One row of a page of the outbox. */
export interface LoggedEvent {
  readonly id: string;
  readonly cursor: string;
  readonly ageMs: number;
}

/** Where to go on in a topic: behind this cursor, for so many rows. */
interface Page {
  readonly topic: string;
  readonly after: string;
  readonly limit: number;
}

/**
 * The topic's events after a cursor, in cursor order. Rows of a transaction that is not older than every open one are
 * left for the next page: an identity value or a UUIDv7 is drawn before the commit, so either of them alone would let a
 * reader pass over a row that commits late.
 */
export const listOutbox = (db: Queryable, page: Page): Promise<LoggedEvent[]> =>
  pageOf<{ id: string; ageMs: number }>(
    db,
    page,
    `id, (extract(epoch from clock_timestamp() - created_at) * 1000)::float8 as "ageMs"`,
  );

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
export const tailOutbox = (db: Queryable, page: Page) =>
  pageOf<{ tenant: string; subject: string; data: unknown }>(db, page, `tenant, subject, envelope -> 'data' as data`);

/** One page of a topic's rows, their cursors and these columns; the only place that says which rows may be listed. */
async function pageOf<Columns>(
  db: Queryable,
  { topic, after, limit }: Page,
  columns: string,
): Promise<(Columns & { cursor: string })[]> {
  const [transactionId, position] = after.split(':');
  return db.query<Columns & { cursor: string }>(
    `select ${columns}, transaction_id::text || ':' || position as cursor
       from outbox
      where topic = $1
        and (transaction_id, position) > ($2::text::xid8, $3::bigint)
        and transaction_id < pg_snapshot_xmin(pg_current_snapshot())
      order by transaction_id, position
      limit $4`,
    [topic, transactionId, position, limit],
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
