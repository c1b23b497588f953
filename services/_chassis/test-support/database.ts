import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { createDatabase, queryableOver, type Database, type Queryable, type TenantDatabase } from '../database.ts';
import { createLog } from '../log.ts';
import { migrate, readMigrations } from '../migrate.ts';
import { ensureRoles, giveToOwner, ownerOf } from '../tenancy.ts';

/**
 * An empty, migrated database for one test file; `close` drops it. A service has it by `of` and `across`, with its own
 * role as in a mesh; `query` and `url` are the superuser's, with whom a test looks at everything.
 */
export interface TestDatabase extends Database, Queryable {
  readonly url: string;
}

/** Every service's role has it on a test server. */
export const testPassword = 'of this test';

const serverUrl = (): URL => {
  const url = process.env['TEST_DATABASE_URL'];
  if (url === undefined) throw new Error('TEST_DATABASE_URL is not set: run this through `make test only=services`');
  return new URL(url);
};

async function onServer<T>(work: (client: pg.Client) => Promise<T>, database = 'postgres'): Promise<T> {
  const url = serverUrl();
  url.pathname = `/${database}`;
  const client = new pg.Client({ connectionString: url.href });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** A copy of a template that is migrated once a server: a copy takes a few hundredths of a second, a migration more. */
export async function createTestDatabase(service: string, migrations: URL, poolSize = 5): Promise<TestDatabase> {
  // Named for what is in it, because a server may outlive a change of the migrations.
  const content = JSON.stringify(await readMigrations(fileURLToPath(migrations)));
  const version = createHash('sha256').update(content).digest('hex').slice(0, 10);
  const template = `template_${service.replaceAll('-', '_')}_${version}`;
  const name = `test_${service.replaceAll('-', '_')}_${randomBytes(5).toString('hex')}`;
  await onServer(async (client) => {
    await client.query(`select pg_advisory_lock(hashtext('test templates'))`); // CREATE DATABASE can't run beside another's use of the template
    const existing = await client.query('select 1 from pg_database where datname = $1', [template]);
    if (existing.rowCount === 0) {
      await ensureRoles(queryableOver(client), service, testPassword);
      await client.query(`create database ${template}`);
      await onServer(async (inside) => {
        await giveToOwner(queryableOver(inside), service);
        await inside.query(`set role ${inside.escapeIdentifier(ownerOf(service))}`);
        await migrate(inside, fileURLToPath(migrations), service);
      }, template);
    }
    await client.query(`create database ${name} template ${template}`);
  });
  const url = serverUrl();
  url.pathname = `/${name}`;
  const database = createDatabase({
    service,
    host: url.hostname,
    port: Number(url.port),
    password: testPassword,
    database: name,
    poolSize,
    connectMs: 20_000, // whether there is one in time is no question of these tests, which share two cores
    log: createLog(service, 'silent'),
  });
  const all = new pg.Pool({ connectionString: url.href, max: 2 });
  all.on('error', () => undefined);
  return {
    ...database,
    query: async <Row extends pg.QueryResultRow>(sql: string, values?: readonly unknown[]) =>
      (await all.query<Row>(sql, values && [...values])).rows,
    url: url.href,
    async close() {
      await database.close();
      await all.end();
      await onServer((client) => client.query(`drop database ${name} with (force)`));
    },
  };
}

/** The same database with something between it and the service, whichever tenant's rows that asks for. */
export function between<D extends Database>(database: D, wrap: (scope: TenantDatabase) => Partial<TenantDatabase>): D {
  const around = (scope: TenantDatabase): TenantDatabase => ({ ...scope, ...wrap(scope) });
  return { ...database, of: (tenant: string) => around(database.of(tenant)), across: around(database.across) };
}

/**
 * Waits until every outbox row can be listed: no transaction older than it is open any more, in any database of the
 * server, which tests of other files share.
 */
export async function untilListable(db: Queryable): Promise<void> {
  for (let tries = 0; tries < 1_000; tries++) {
    const hidden = await db.query(
      'select 1 from outbox where transaction_id >= pg_snapshot_xmin(pg_current_snapshot()) limit 1',
    );
    if (hidden.length === 0) return;
    await delay(10);
  }
  throw new Error('a transaction stayed open for 10 s');
}
