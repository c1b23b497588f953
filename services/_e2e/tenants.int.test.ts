import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, testPassword, type TestDatabase } from '../_chassis/test-support/database.ts';
import { servicesWithDatabase } from '../../tools/mesh/databases.ts';
import { repository } from '../../tools/mesh/home.ts';

// Every table of every service, found in its database: a new one is here without being written down.
const folders = new Map([
  ...(await servicesWithDatabase(repository)).map((service) => [service, join('services', service)] as const),
  ['field-notes', join('services', '_template')],
  ['tally', join('services', '_e2e', 'tally')],
]);
// What has no tenant: `migrations` is the launcher's, a cursor goes over the log of all tenants, the bank is not ours,
// and what auth keeps of the issuer is found before any tenant is known.
const excused = [
  'migrations',
  'catch_up_cursors',
  'bank.charges',
  'bank.entries',
  'users.whereabouts',
  'auth.signing_keys',
  'auth.oidc_payloads',
  'auth.oauth_clients',
];
const own = "(tenant = current_setting('sidecart.tenant'::text, true))";
const all = "COALESCE((current_setting('sidecart.tenant'::text, true) = '*'::text), false)";
const machinery: Readonly<Record<string, readonly string[]>> = {
  outbox: [`r ${all} `],
  inbox: [`r ${all} `],
  due_work: [`r ${all} `, `w ${all} `],
};
const denied = { code: '42501' };

interface Column {
  readonly name: string;
  readonly type: string;
}
interface Table {
  readonly name: string;
  readonly columns: readonly Column[];
  readonly tenanted: boolean;
  readonly owner: string;
  readonly forced: boolean;
  readonly policies: readonly string[];
}

const tablesOf = (db: TestDatabase) =>
  db.query<Table & Record<string, unknown>>(
    `select relname::text as name, relrowsecurity and relforcerowsecurity as forced, pg_get_userbyid(relowner)::text as owner,
            exists (select from pg_attribute where attrelid = c.oid and attname = 'tenant') as tenanted,
            (select json_agg(json_build_object('name', attname, 'type', format_type(atttypid, atttypmod)) order by attnum)
               from pg_attribute where attrelid = c.oid and attnum > 0 and not attisdropped and attidentity = '') as columns,
            array(select concat_ws(' ', polcmd, pg_get_expr(polqual, polrelid), coalesce(pg_get_expr(polwithcheck, polrelid), ''))
                    from pg_policy where polrelid = c.oid and polpermissive and polroles = '{0}' order by 1) as policies
       from pg_class c where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') order by 1`,
  );

/** A row that says whose it is, wherever it can; `n` makes it another of his. */
function rowOf({ name, columns }: Table, tenant: string, n = 0): string {
  const number = tenant === 'main' ? 10 + n : 20 + n;
  const value = ({ name: column, type }: Column) =>
    column === 'tenant'
      ? `'${tenant}'`
      : type === 'text'
        ? `'${tenant}${n}'`
        : type.startsWith('json')
          ? `'{}'`
          : type === 'boolean'
            ? 'false'
            : type.startsWith('timestamp')
              ? `'2026-01-01'`
              : type.endsWith('[]')
                ? `'{}'`
                : type === 'bytea'
                  ? `'\\x00'`
                  : `'${number}'`;
  const list = columns.map(({ name: column }) => column).join(', ');
  return `insert into ${name} (${list}) values (${columns.map(value).join(', ')})`;
}

describe.each([...folders.keys()])('the database of %s', (service) => {
  let db: TestDatabase;
  let client: pg.Client;
  let tables: Table[];
  beforeAll(async () => {
    const migrations = pathToFileURL(join(repository, folders.get(service) ?? '', 'migrations'));
    db = await createTestDatabase(service, migrations);
    tables = await tablesOf(db);
    // Rows are made up, so nothing but the tenant may decide about them.
    const constraints = await db.query<{ drop: string }>(
      `select format('alter table %s drop constraint %I', conrelid::regclass, conname) as drop
         from pg_constraint where contype in ('c', 'f') and conrelid > 0 and connamespace = 'public'::regnamespace`,
    );
    for (const { drop } of constraints) await db.query(drop);
    for (const table of tables.filter(({ tenanted }) => tenanted))
      for (const tenant of ['main', 'other']) await db.query(rowOf(table, tenant));
    const url = new URL(db.url);
    Object.assign(url, { username: service, password: testPassword });
    client = new pg.Client(url.href);
    await client.connect();
  });
  afterAll(async () => {
    await client.end();
    await db.close();
  });

  /** What the service gets of a statement in a transaction of this tenant, or of none; nothing is kept. */
  async function as(tenant: string | undefined, sql: string): Promise<{ rows: unknown[]; count: number }> {
    await client.query('begin');
    try {
      if (tenant !== undefined) await client.query(`select set_config('sidecart.tenant', $1, true)`, [tenant]);
      const { rows, rowCount } = await client.query<Record<string, unknown>>(sql);
      return { rows, count: rowCount ?? 0 };
    } finally {
      await client.query('rollback');
    }
  }
  /** How many rows it touches; none, too, where it may not even try. */
  const touched = (tenant: string | undefined, sql: string) =>
    as(tenant, sql).then(
      ({ count }) => count,
      (error: unknown) =>
        error instanceof pg.DatabaseError && error.message.startsWith('permission denied') ? 0 : error,
    );
  const tenanted = () => tables.filter((table) => table.tenanted);

  it('when it is looked at, every table is the owner’s and secured by the one policy, or excused by name', () => {
    expect(tables.length).toBeGreaterThan(0);
    for (const { name, owner, forced, policies, tenanted } of tables) {
      expect([name, owner]).toEqual([name, `${service}_owner`]);
      if (tenanted) {
        expect([name, forced]).toEqual([name, true]);
        expect([name, policies]).toEqual([name, [`* ${own} ${own}`, ...(machinery[name] ?? [])]]);
      } else
        expect(
          [name, `${service}.${name}`].some((one) => excused.includes(one)),
          name,
        ).toBe(true);
    }
  });

  it('when the service tries to get rid of it, it may not', async () => {
    const [role] = await db.query(
      `select rolsuper, rolbypassrls, rolcreaterole, rolcreatedb,
              (select count(*)::int from pg_auth_members where member = r.oid) as memberships
         from pg_roles r where rolname = $1`,
      [service],
    );
    const none = { rolsuper: false, rolbypassrls: false, rolcreaterole: false, rolcreatedb: false, memberships: 0 };
    expect(role).toEqual(none);
    const tries = tables.flatMap(({ name }) => [
      `alter table ${name} disable row level security`,
      `alter table ${name} no force row level security`,
      `alter table ${name} add column more text`,
      `create policy more on ${name} using (true)`,
      `truncate ${name}`,
      `drop table ${name}`,
      `lock table ${name} in access exclusive mode; truncate ${name}`,
    ]);
    tries.push(
      `set role ${pg.escapeIdentifier(`${service}_owner`)}`,
      `set role ${pg.escapeIdentifier(`${service}_migrator`)}`,
      `set session authorization postgres`,
      `alter role ${pg.escapeIdentifier(service)} bypassrls`,
      `create table more (id text)`,
      `create function more() returns integer language sql as 'select 1'`,
      `insert into migrations (name) values ('0009_more.sql')`,
      `delete from migrations`,
    );
    for (const sql of tries) await expect(as('main', sql), sql).rejects.toMatchObject(denied);
    for (const { name } of tenanted())
      await expect(as('main', `set local row_security = off; select from ${name}`), name).rejects.toMatchObject(denied);
  });

  it('when it asks for one tenant, no row of another can be read, changed, removed, added or taken over', async () => {
    for (const table of tenanted()) {
      const { name } = table;
      const seen = await as('other', `select tenant from ${name}`);
      expect([name, seen.rows]).toEqual([name, [{ tenant: 'other' }]]);
      expect([name, await touched('other', `select 1 from ${name} where tenant = 'main' for update`)]).toEqual([
        name,
        0,
      ]);
      expect([name, await touched('other', `update ${name} set tenant = tenant where tenant = 'main'`)]).toEqual([
        name,
        0,
      ]);
      expect([name, await touched('other', `delete from ${name} where tenant = 'main'`)]).toEqual([name, 0]);
      await expect(as('other', rowOf(table, 'main', 1)), name).rejects.toMatchObject(denied);
      await expect(as('other', `update ${name} set tenant = 'main'`), name).rejects.toMatchObject(denied);
      // One who has none yet: a tenant has only one row of some.
      expect([name, (await as('third', rowOf(table, 'third', 1))).count]).toEqual([name, 1]);
    }
  });

  it('when it asks for none, also after a transaction of one, it sees nothing and can add nothing', async () => {
    for (const table of tenanted()) {
      const { name } = table;
      for (const before of [undefined, 'main']) {
        if (before !== undefined) await as(before, 'select 1');
        for (const tenant of [undefined, '']) {
          expect([name, await touched(tenant, `select 1 from ${name}`)]).toEqual([name, 0]);
          expect([name, await touched(tenant, `update ${name} set tenant = tenant`)]).toEqual([name, 0]);
          expect([name, await touched(tenant, `delete from ${name}`)]).toEqual([name, 0]);
          await expect(as(tenant, rowOf(table, 'main', 1)), name).rejects.toMatchObject(denied);
        }
      }
    }
  });

  it('when the machinery looks at all tenants, it sees its own tables alone, and can neither add nor remove', async () => {
    for (const table of tenanted()) {
      const { name } = table;
      const allowed = machinery[name] ?? [];
      expect([name, await touched('*', `select 1 from ${name}`)]).toEqual([name, allowed.length > 0 ? 2 : 0]);
      const updates = await touched('*', `update ${name} set tenant = tenant`);
      expect([name, updates]).toEqual([name, allowed.some((policy) => policy.startsWith('w')) ? 2 : 0]);
      expect([name, await touched('*', `delete from ${name}`)]).toEqual([name, 0]);
      await expect(as('*', rowOf(table, 'main', 1)), name).rejects.toMatchObject(denied);
    }
  });
});

it('when a service has migrations, it is among those looked at', async () => {
  const entries = await readdir(join(repository, 'services'), { recursive: true, withFileTypes: true });
  const having = entries.filter((entry) => entry.name === 'migrations' && entry.isDirectory());
  const looked = new Set([...folders.values()].map((folder) => join(repository, folder)));
  const missed = having.map(({ parentPath }) => parentPath).filter((path) => !looked.has(path));
  expect(missed).toEqual([join(repository, 'services/_chassis/test-support')]);
});
