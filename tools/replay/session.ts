import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { queryableOver, type Queryable } from '../../services/_chassis/database.ts';
import type { Key } from '../../services/_chassis/projection.ts';
import { UserError } from '../mesh/user-error.ts';

/** How a rebuild shares a table with those who use it, in milliseconds. */
export interface Patience {
  /** How long it stands in a lock's queue: whoever comes behind it there waits as long. */
  readonly lockMs: number;
  /** How long it may hold a lock; services wait 3 s for one. */
  readonly holdMs: number;
  /** How long it tries again in all. */
  readonly limitMs: number;
}

/** A connection to a service's database, as the role that owns its tables. */
export interface Session extends Queryable {
  /** Work in a transaction that waits and lasts only for moments; undone and tried again when it can't, `prepare` before. */
  briefly<T>(work: () => Promise<T>, prepare?: () => Promise<void>): Promise<T>;
  /** Work in an ordinary transaction. */
  transaction<T>(work: () => Promise<T>): Promise<T>;
  /** The keys that a query gives, a page at a time, as of one moment; draws no transaction id, so it holds up no log. */
  pages(sql: string): AsyncGenerator<Key[]>;
  close(): Promise<void>;
}

/** Thrown in `briefly` where it takes too long: undone, and tried again. */
export class TooLong extends Error {}

const pageSize = 500;
const inUse = new Set(['55P03', '57014', '40P01']); // lock or statement took too long, deadlock

/** Opens the session; no other one, and no migration, works in this database until it is closed. */
export async function openSession(url: string, table: string, patience: Patience): Promise<Session> {
  const client = await connect(url);
  try {
    const { rows } = await client.query<{ free: boolean; owner: string }>(
      // The lock that migrations take.
      `select pg_try_advisory_lock(hashtext('migrations')) as free, pg_get_userbyid(relowner) as owner
         from pg_class where oid = $1::regclass`,
      [pg.escapeIdentifier(table)],
    );
    if (rows[0]?.free !== true)
      throw new UserError(`another replay, or a migration, is at work in the database of ${table}`);
    await client.query(`set role ${pg.escapeIdentifier(rows[0].owner)}`);
  } catch (error) {
    await client.end();
    throw error;
  }
  const queryable = queryableOver(client);

  async function transaction<T>(work: () => Promise<T>): Promise<T> {
    await client.query('begin');
    try {
      const result = await work();
      await client.query('commit');
      return result;
    } catch (error) {
      await client.query('rollback').catch(() => undefined); // it may be the connection that failed
      throw error;
    }
  }

  return {
    ...queryable,
    transaction,
    async briefly(work, prepare = async () => undefined) {
      const { lockMs, holdMs, limitMs } = patience;
      for (const limit = Date.now() + limitMs; ;) {
        await prepare();
        try {
          return await transaction(async () => {
            await client.query(
              `set local lock_timeout = ${lockMs}; set local statement_timeout = ${lockMs + holdMs};
               set local idle_in_transaction_session_timeout = ${2 * holdMs}`,
            );
            return work();
          });
        } catch (error) {
          const code = error instanceof pg.DatabaseError ? (error.code ?? '') : '';
          if (!(error instanceof TooLong) && !inUse.has(code)) throw error;
          if (Date.now() > limit)
            throw new UserError(
              `${table} was in use for ${Math.round(limitMs / 1_000)} s: ${await holder(client, table)}`,
            );
          await delay(lockMs * (0.5 + Math.random())); // those who had to wait come first
        }
      }
    },
    async *pages(sql) {
      const reader = await connect(url);
      try {
        await reader.query(`begin isolation level repeatable read read only; declare keys no scroll cursor for ${sql}`);
        for (;;) {
          const { rows } = await reader.query<Key>(`fetch ${pageSize} from keys`);
          if (rows.length === 0) return;
          yield rows;
        }
      } finally {
        await reader.end();
      }
    },
    close: () => client.end(),
  };
}

/** A connection of this tool's. */
export async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000, application_name: 'replay' });
  // A server that goes away is reported by the query as well; without a listener it would end this process.
  client.on('error', () => undefined);
  await client.connect();
  await client.query(`set idle_in_transaction_session_timeout = 0; set statement_timeout = 0; set timezone = 'UTC'`);
  return client;
}

async function holder(client: pg.Client, table: string): Promise<string> {
  await client.query('reset role'); // whose name it is, only a superuser sees
  const { rows } = await client.query<{ who: string }>(
    `select format('%s (pid %s), for %s s', application_name, pid, extract(epoch from clock_timestamp() - xact_start)::int) as who
       from pg_locks join pg_stat_activity using (pid)
      where relation = $1::regclass and granted and pid <> pg_backend_pid() order by xact_start limit 1`,
    [pg.escapeIdentifier(table)],
  );
  return rows[0]?.who ?? 'by many, each for a moment';
}
