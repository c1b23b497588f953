// Looks whether the databases are as `make up` or the container `databases` leaves them: node tools/validate-databases.ts [--json]
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { causeOf } from '../services/_chassis/errors.ts';
import { readMigrations } from '../services/_chassis/migrate.ts';
import { ownerOf } from '../services/_chassis/tenancy.ts';
import { createCheckLines, type CheckLines } from './check-lines.ts';
import { connectionAdvice, databaseUrls } from './connections.ts';
import { passwordName, servicesWithDatabase } from './mesh/databases.ts';
import { homeAt, repository } from './mesh/home.ts';
import { withClient, type Postgres } from './mesh/postgres.ts';
import { readSecrets, secretNamed, type Secrets } from './mesh/secrets.ts';

const ofTheChassis = ['migrations', 'inbox', 'outbox', 'catch_up_cursors', 'due_work', 'idempotency_keys'];
const prepare = 'prepare it again: docker compose run --rm databases, or make up';
const quoted = pg.escapeIdentifier;

interface Table {
  readonly name: string;
  readonly tenanted: boolean;
  readonly secured: boolean;
  readonly readable: boolean;
}

async function checkMigrations(lines: CheckLines, service: string, admin: pg.Client): Promise<void> {
  const wanted = (await readMigrations(join(repository, 'services', service, 'migrations'))).map(({ name }) => name);
  const { rows } = await admin.query<{ name: string }>('select name from migrations');
  const applied = rows.map(({ name }) => name);
  const missing = wanted.filter((name) => !applied.includes(name));
  const strange = applied.filter((name) => !wanted.includes(name));
  const what = `${service}: migrations`;
  if (missing.length > 0) lines.notOk(what, `${missing.join(', ')} not applied; ${prepare}`);
  else if (strange.length > 0)
    lines.notOk(what, `${strange.join(', ')} unknown to these sources: they are older than the database`);
  else lines.ok(what, `${wanted.length} of ${wanted.length} applied`);
}

/** What the catalogue says of a service's role, and what PostgreSQL says when it tries to enter a neighbour's database. */
async function checkRole(
  lines: CheckLines,
  service: string,
  others: readonly string[],
  { admin, url, password }: { admin: pg.Client; url: Postgres['url']; password: string },
): Promise<void> {
  const { rows } = await admin.query<{ owns: number; mighty: boolean; reaches: string[] }>(
    `select (select count(*)::int from pg_shdepend where refclassid = 'pg_authid'::regclass and refobjid = r.oid and deptype = 'o') as owns,
            rolsuper or rolbypassrls or rolcreatedb or rolcreaterole or rolreplication as mighty,
            array(select datname::text from pg_database d
                   where datallowconn and datname <> $1 and has_database_privilege(r.oid, d.oid, 'connect')) as reaches
       from pg_roles r where rolname = $1`,
    [service],
  );
  const [role] = rows;
  const what = `${service}: its role`;
  if (!role) return lines.notOk(what, `there is none; ${prepare}`);
  const faults = [
    ...(role.owns > 0 ? [`owns ${role.owns} objects`] : []),
    ...(role.mighty ? ['may do more than read and write rows'] : []),
    ...role.reaches.map((database) => `may connect to ${database}`),
  ];
  const [neighbour = 'postgres'] = others;
  const refusal = await withClient(url(neighbour, { name: service, password }), async () => 'let in').catch(codeOf);
  if (refusal !== '42501') faults.push(`at the door of ${neighbour} it was not refused but ${refusal}`);
  if (faults.length > 0) lines.notOk(what, `${faults.join(', ')}; ${prepare}`);
  else lines.ok(what, `reaches none of ${others.length} other databases, owns nothing`);
}

const codeOf = (error: unknown): string => (error instanceof Error && 'code' in error ? String(error.code) : '?');

const readTables = async (admin: pg.Client, service: string): Promise<Table[]> =>
  (
    await admin.query<Table>(
      `select relname::text as name, relrowsecurity and relforcerowsecurity as secured,
              exists (select from pg_attribute where attrelid = c.oid and attname = 'tenant' and not attisdropped) as tenanted,
              has_table_privilege($1, oid, 'select') as readable
         from pg_class c where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') order by relname`,
      [service],
    )
  ).rows;

/** Row-level security as the catalogue has it, and as the service's role meets it when it names no tenant. */
async function checkRows(lines: CheckLines, service: string, tables: readonly Table[], url: string): Promise<void> {
  const tenanted = tables.filter((table) => table.tenanted);
  const open = tenanted.filter(({ secured }) => !secured).map(({ name }) => name);
  const what = `${service}: row-level security`;
  if (open.length > 0) return lines.notOk(what, `off for ${open.join(', ')}; ${prepare}`);
  if (tenanted.length === 0) return lines.ok(what, 'no table has a tenant');
  const shown = await withClient(url, async (client) => {
    const found: string[] = [];
    for (const { name } of tenanted.filter(({ readable }) => readable)) {
      if (((await client.query(`select from ${quoted(name)} limit 1`)).rowCount ?? 0) > 0) found.push(name);
    }
    return found;
  });
  if (shown.length > 0) lines.notOk(what, `rows of ${shown.join(', ')} are seen without a tenant; ${prepare}`);
  else lines.ok(what, `on for ${tenanted.length} tables, none shows a row without a tenant`);
}

async function checkSeed(
  lines: CheckLines,
  service: string,
  tables: readonly Table[],
  admin: pg.Client,
): Promise<void> {
  if (!existsSync(join(repository, 'services', service, 'seed.ts'))) return;
  const counts: string[] = [];
  for (const { name } of tables.filter((table) => !ofTheChassis.includes(table.name))) {
    const { rows } = await admin.query<{ count: number }>(`select count(*)::int as count from ${quoted(name)}`);
    if (rows[0]?.count) counts.push(`${rows[0].count} ${name}`);
  }
  const what = `${service}: seed`;
  if (counts.length === 0) lines.notOk(what, `there is nothing in it; ${prepare}`);
  else lines.ok(what, `${counts.slice(0, 3).join(', ')}${counts.length > 3 ? ' …' : ''}`);
}

async function checkService(
  lines: CheckLines,
  service: string,
  services: readonly string[],
  { url, secrets }: { url: Postgres['url']; secrets: Secrets },
): Promise<void> {
  const password = secretNamed(secrets, passwordName(service));
  const others = services.filter((other) => other !== service);
  await withClient(url(service), async (admin) => {
    const { rows } = await admin.query<{ owner: string }>(
      'select pg_get_userbyid(datdba)::text as owner from pg_database where datname = current_database()',
    );
    const owner = rows[0]?.owner ?? '?';
    if (owner === ownerOf(service)) lines.ok(`${service}: database`, `owned by ${owner}, whom nobody logs in as`);
    else lines.notOk(`${service}: database`, `owned by ${owner}, not ${ownerOf(service)}; ${prepare}`);
    await checkMigrations(lines, service, admin);
    await checkRole(lines, service, others, { admin, url, password });
    const tables = await readTables(admin, service);
    await checkRows(lines, service, tables, url(service, { name: service, password }));
    await checkSeed(lines, service, tables, admin);
  });
}

const lines = createCheckLines(process.argv.includes('--json'));
const advise = (what: string, error: unknown) => lines.notOk(what, connectionAdvice(error) ?? causeOf(error));
lines.section('PostgreSQL');
try {
  const url = await databaseUrls(repository);
  const version = await withClient(
    url(),
    async (client) =>
      (await client.query<{ version: string }>(`select current_setting('server_version') as version`)).rows[0]
        ?.version ?? '?',
  );
  lines.ok('PostgreSQL answers', version);
  const secrets = (await readSecrets(homeAt(repository).secretsFile)) ?? {};
  const services = await servicesWithDatabase(repository);
  lines.section('databases');
  for (const service of services) {
    await checkService(lines, service, services, { url, secrets }).catch((error: unknown) =>
      advise(`${service}: database`, error),
    );
  }
} catch (error) {
  advise('PostgreSQL answers', error);
}
lines.finish();
