import type { Database, Queryable, TenantDatabase, Transaction } from './database.ts';
import type { Envelope } from './envelope.ts';
import { causeOf, isTransient } from './errors.ts';

/** What became of one event in one consumer. */
export type Handled = 'handled' | 'duplicate' | 'retry' | 'dead' | 'away';

/** How often an event may fail by its own fault before its row is marked failed. */
export const failureBudget = 10;

/**
 * Handles an event exactly once: the inbox row and the handler's effects are one transaction, the row comes first, and a
 * second delivery at the same moment waits on it. A handler that throws is counted; `retry` means budget is left,
 * `dead` that the row is now the dead letter, `away` that something we depend on is down, which spends no budget.
 */
export async function handleOnce(
  db: Database,
  event: Envelope,
  handler: (tx: Transaction, event: Envelope) => Promise<void>,
  budget = failureBudget,
): Promise<{ result: Handled; error?: unknown }> {
  try {
    const fresh = await db.of(event.tenant).transaction(async (tx) => {
      const claimed = await tx.query(
        `insert into inbox (source, id, tenant, topic, type, subject, status) values ($1, $2, $3, $4, $5, $6, 'handled')
         on conflict (source, id) do update set status = 'handled', cause = null, envelope = null
           where inbox.status = 'pending'
         returning id`,
        [event.source, event.id, event.tenant, event.topic, event.type, event.subject],
      );
      if (claimed.length === 0) return false;
      await handler(tx, event);
      return true;
    });
    return { result: fresh ? 'handled' : 'duplicate' };
  } catch (error) {
    if (isTransient(error)) return { result: 'away', error };
    return { result: await countFailure(db, event, error, budget).catch(() => 'away' as const), error };
  }
}

/**
 * Handles several events of one tenant, each as `handleOnce` would, in one transaction and in this order; gives the ids of
 * those that were new. Throws, and keeps nothing, when any of them fails: then each has to be handled alone, so that its
 * failure is counted and is its own. No event may be in it twice.
 */
export async function handleTogether(
  db: TenantDatabase,
  events: readonly Envelope[],
  handler: (tx: Transaction, fresh: readonly Envelope[]) => Promise<void>,
): Promise<Set<Envelope>> {
  return db.transaction(async (tx) => {
    const claimed = await tx.query<{ source: string; id: string }>(
      `insert into inbox (source, id, tenant, topic, type, subject, status)
       select source, id, tenant, topic, type, subject, 'handled'
         from json_to_recordset($1) as e (source text, id text, tenant text, topic text, type text, subject text)
        order by source, id -- two replicas with the same events wait for each other, and do not lock each other out
       on conflict (source, id) do update set status = 'handled', cause = null, envelope = null
         where inbox.status = 'pending'
       returning source, id`,
      [JSON.stringify(events, ['source', 'id', 'tenant', 'topic', 'type', 'subject'])],
    );
    const keys = new Set(claimed.map(keyOf));
    const fresh = events.filter((event) => keys.has(keyOf(event)));
    await handler(tx, fresh);
    return new Set(fresh);
  });
}

/** What an event is known by. */
export const keyOf = ({ source, id }: { source: string; id: string }): string => `${source} ${id}`;

async function countFailure(db: Database, event: Envelope, error: unknown, budget: number): Promise<Handled> {
  const counted = await db.of(event.tenant).query<{ status: string }>(
    `insert into inbox as i (source, id, tenant, topic, type, subject, status, attempts, cause, envelope)
     values ($1, $2, $3, $4, $5, $6, case when 1 >= $9::int then 'failed' else 'pending' end, 1, $7, $8)
     on conflict (source, id) do update
       set attempts = i.attempts + 1, cause = $7, envelope = $8,
           status = case when i.attempts + 1 >= $9::int then 'failed' else 'pending' end
       where i.status = 'pending'
     returning status`,
    [
      event.source,
      event.id,
      event.tenant,
      event.topic,
      event.type,
      event.subject,
      causeOf(error).replaceAll('\0', '\uFFFD').slice(0, 2_000), // text in PostgreSQL has no NUL
      JSON.stringify(event),
      budget,
    ],
  );
  const status = counted[0]?.status;
  if (status === undefined) return 'duplicate'; // another delivery finished it meanwhile
  return status === 'failed' ? 'dead' : 'retry';
}

/** Of these ids, those that this inbox holds as handled or failed. */
export async function finishedIn(db: Queryable, source: string, ids: readonly string[]): Promise<Set<string>> {
  const found = await db.query<{ id: string }>(
    `select id from inbox where source = $1 and id = any($2) and status <> 'pending'`,
    [source, ids],
  );
  return new Set(found.map((row) => row.id));
}

/** Envelopes that failed with budget left, or were set back by a person, and have waited a second; oldest first. */
export async function pendingIn(db: Queryable, limit: number): Promise<unknown[]> {
  const found = await db.query<{ envelope: unknown }>(
    `select envelope from inbox
      where status = 'pending' and envelope is not null and received_at < clock_timestamp() - interval '1 second'
      order by received_at limit $1`,
    [limit],
  );
  return found.map((row) => row.envelope);
}

/** How many rows are dead letters. */
export async function countFailed(db: Queryable): Promise<number> {
  const [row] = await db.query<{ count: string }>(`select count(*) from inbox where status = 'failed'`);
  return Number(row?.count ?? 0);
}
