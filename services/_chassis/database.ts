import pg from 'pg';
import { setTimeout as delay } from 'node:timers/promises';
import type { z } from 'zod';
import type { EventDefinition } from './contract.ts';
import { createEnvelope, type Envelope } from './envelope.ts';
import { isConflict, isConsequence } from './errors.ts';
import type { Log } from './log.ts';
import { rows, send } from './statements.ts';
import { allTenants, tenantSetting } from './tenancy.ts';

/** Runs one statement; the rows are parsed by the caller's schema or declared type at the store's edge. */
export interface Queryable {
  query<Row extends pg.QueryResultRow>(sql: string, values?: readonly unknown[]): Promise<Row[]>;
}

/** A transaction in which state and events are written together; what is emitted is published only after the commit. */
export interface Transaction extends Queryable {
  /** Runs a statement whose rows nobody needs: it is sent at once and waited for at the commit, which fails with it. */
  write(sql: string, values?: readonly unknown[]): void;
  emit<Data extends z.ZodType>(
    event: EventDefinition<Data>,
    fields: { subject: string; tenant: string; data: z.input<Data> },
  ): void;
  /**
   * Does a part of the same transaction as another tenant: for the little that is about more than one, such as a person's
   * memberships. One part at a time; whatever runs beside it would see the other tenant's rows.
   */
  within<T>(tenant: string, work: () => Promise<T>): Promise<T>;
  /** Does something in this process once the commit is through, such as waking a worker; not at all after a rollback. */
  afterCommit(work: () => void): void;
}

/** The database as one tenant sees it: no statement can find, change or add a row of another's. */
export interface TenantDatabase extends Queryable {
  /** Runs `work` in one transaction and repeats it, for 2 s at most, when another was first (serialisation, deadlock, unique). */
  transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T>;
}

export interface Database {
  /** The database as this tenant sees it. */
  of(tenant: string): TenantDatabase;
  /** Tables of no tenant, and of all tenants what the machinery of messages has to see (tenancy.ts); no row of a domain. */
  readonly across: TenantDatabase;
  /** Called with what a transaction emitted, after its commit. */
  onCommitted(listener: (events: Envelope[]) => void): void;
  close(): Promise<void>;
}

export interface DatabaseOptions {
  readonly service: string;
  readonly host: string;
  readonly port: number;
  readonly password: string;
  readonly poolSize: number;
  readonly log: Log;
  /** Defaults to the service's name; tests use a copy of a template. */
  readonly database?: string;
  readonly user?: string;
  /** How long whoever needs a connection waits for one, in milliseconds; 2 s by default. */
  readonly connectMs?: number;
}

const maxTries = 8;
// A delivery that takes longer than 3 s comes a second time while the first still holds a connection.
const retryForMs = 2_000;

/**
 * A pool whose every wait is bounded: 2 s for a connection, 5 s a statement, 3 s a lock, 10 s idle in a transaction.
 * Statements are prepared once a connection, and sent without waiting for the ones before them where nobody reads those:
 * each transaction begins with the name of its tenant, and so does a statement alone, in one round trip all the same.
 */
export function createDatabase(options: DatabaseOptions): Database {
  const { service, log } = options;
  const pool = new pg.Pool({
    host: options.host,
    port: options.port,
    user: options.user ?? service,
    database: options.database ?? service,
    password: options.password,
    max: options.poolSize,
    connectionTimeoutMillis: options.connectMs ?? 2_000,
    statement_timeout: 5_000,
    lock_timeout: 3_000,
    query_timeout: 7_000,
    idle_in_transaction_session_timeout: 10_000,
    application_name: service,
    keepAlive: true,
    pipeline: true,
  });
  pool.on('error', (error) => log.warn({ err: error }, 'idle database connection lost'));
  // A client that is checked out has no listener of the pool's: losing its connection would end the process, whereas
  // the statement that is under way fails anyway and is tried again by whoever sent it.
  pool.on('connect', (client) => client.on('error', () => undefined));
  const listeners: ((events: Envelope[]) => void)[] = [];

  /** One statement for a tenant, in a transaction of its own that nobody waits for. */
  async function alone<Row extends pg.QueryResultRow>(begin: string, sql: string, values?: readonly unknown[]) {
    const client = await pool.connect();
    const [begun, found, ended] = await Promise.allSettled([
      send(client, begin),
      rows<Row>(client, sql, values),
      send(client, 'commit'),
    ]);
    client.release(ended.status === 'rejected');
    if (begun.status === 'rejected') throw begun.reason; // it was not known whose rows were looked for
    if (found.status === 'rejected') throw found.reason;
    if (ended.status === 'rejected') throw ended.reason;
    return found.value;
  }

  async function attempt<T>(tenant: string, work: (tx: Transaction) => Promise<T>): Promise<T> {
    const client = await pool.connect();
    const events: Envelope[] = [];
    const afterwards: (() => void)[] = [];
    const writes: Promise<unknown>[] = [];
    const write = (statement: Promise<unknown>): void => {
      statement.catch(() => undefined); // it is looked at when the commit is
      writes.push(statement);
    };
    let committed = false;
    let broken: Error | undefined;
    try {
      write(send(client, beginAs(tenant)));
      let current = tenant;
      const become = (other: string) => {
        if (other !== current) write(send(client, setTenant(other)));
        current = other;
      };
      const result = await work({
        query: (sql, values) => rows(client, sql, values),
        write: (sql, values) => write(rows(client, sql, values)),
        emit: (event, fields) => {
          const data: unknown = event.data.parse(fields.data);
          events.push(createEnvelope(service, { type: event.type, topic: event.topic, ...fields, data }));
        },
        async within(other, part) {
          const before = current;
          become(named(other));
          try {
            return await part();
          } finally {
            become(before);
          }
        },
        afterCommit: (work) => void afterwards.push(work),
      });
      for (const [subject, own] of Map.groupBy(events, (event) => event.tenant)) {
        become(subject);
        write(insertOutbox(client, own));
      }
      const commit = send(client, 'commit');
      commit.catch(() => undefined);
      await Promise.all(writes);
      // PostgreSQL answers a commit with ROLLBACK, and no error, when a statement failed and `work` went on all the same.
      if ((await commit).command !== 'COMMIT')
        throw new Error('a statement of the transaction had failed: nothing was kept');
      committed = true;
      return result;
    } catch (error) {
      await client.query('rollback').catch((cause: unknown) => {
        broken = cause instanceof Error ? cause : new Error(String(cause));
      });
      const failed: unknown[] = [error];
      for (const written of await Promise.allSettled(writes))
        if (written.status === 'rejected') failed.push(written.reason);
      throw failed.find((cause) => !isConsequence(cause)) ?? error;
    } finally {
      client.release(broken);
      if (committed) {
        if (events.length > 0) for (const listener of listeners) listener(events);
        for (const work of afterwards) work();
      }
    }
  }

  async function transaction<T>(tenant: string, work: (tx: Transaction) => Promise<T>): Promise<T> {
    const started = performance.now();
    for (let tries = 1; ; tries++) {
      try {
        return await attempt(tenant, work);
      } catch (error) {
        if (!isConflict(error) || tries >= maxTries || performance.now() - started > retryForMs) throw error;
        await delay(Math.random() * 5 * 2 ** tries);
      }
    }
  }

  function seenAs(tenant: string): TenantDatabase {
    const begin = beginAs(tenant);
    return {
      query: (sql, values) => alone(begin, sql, values),
      transaction: (work) => transaction(tenant, work),
    };
  }

  return {
    of: (tenant) => seenAs(named(tenant)),
    across: seenAs(allTenants),
    onCommitted: (listener) => void listeners.push(listener),
    close: () => pool.end(),
  };
}

/** A tenant's name; throws for what can't be one. */
function named(tenant: string): string {
  if (tenant === '' || tenant === allTenants) throw new Error(`${JSON.stringify(tenant)} is no tenant`);
  return tenant;
}

const setTenant = (tenant: string) => `set local ${tenantSetting} = ${pg.escapeLiteral(tenant)}`;
// One message for the two: 4 µs more than a read alone, and 1 µs more than `begin`.
const beginAs = (tenant: string) => `begin; ${setTenant(tenant)}`;

/** A single connection, as migrations and seeds hold it, seen as a Queryable. */
export const queryableOver = (client: pg.ClientBase): Queryable => ({
  query: async <Row extends pg.QueryResultRow>(sql: string, values?: readonly unknown[]) =>
    (await client.query<Row>(sql, values && [...values])).rows,
});

async function insertOutbox(client: pg.PoolClient, events: readonly Envelope[]): Promise<void> {
  await rows(
    client,
    `insert into outbox (id, tenant, topic, type, subject, envelope)
     select e ->> 'id', e ->> 'tenant', e ->> 'topic', e ->> 'type', e ->> 'subject', e
       from json_array_elements($1::json) with ordinality as list (e, n) order by n`,
    [JSON.stringify(events)],
  );
}
