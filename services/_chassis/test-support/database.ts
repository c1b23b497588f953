import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { createDatabase, type Database } from '../database.ts';
import { createLog } from '../log.ts';
import { migrate, readMigrations } from '../migrate.ts';

/** An empty, migrated database for one test file; `close` drops it. */
export interface TestDatabase extends Database {
  readonly url: string;
}

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
      await client.query(`create database ${template}`);
      await onServer((inside) => migrate(inside, fileURLToPath(migrations)), template);
    }
    await client.query(`create database ${name} template ${template}`);
  });
  const url = serverUrl();
  url.pathname = `/${name}`;
  const database = createDatabase({
    service,
    host: url.hostname,
    port: Number(url.port),
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    database: name,
    poolSize,
    log: createLog(service, 'silent'),
  });
  return {
    ...database,
    url: url.href,
    async close() {
      await database.close();
      await onServer((client) => client.query(`drop database ${name} with (force)`));
    },
  };
}

/**
 * Waits until every outbox row can be listed: no transaction older than it is open any more, in any database of the
 * server, which tests of other files share.
 */
export async function untilListable(db: Database): Promise<void> {
  for (let tries = 0; tries < 1_000; tries++) {
    const hidden = await db.query(
      'select 1 from outbox where transaction_id >= pg_snapshot_xmin(pg_current_snapshot()) limit 1',
    );
    if (hidden.length === 0) return;
    await delay(10);
  }
  throw new Error('a transaction stayed open for 10 s');
}
