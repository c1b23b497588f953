import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { prepareDatabases } from './databases.ts';
import { withClient } from './postgres.ts';

// A service as the versions before row-level security left it: its role owns the database and everything in it.
const service = `old-${randomBytes(4).toString('hex')}`;
const quoted = `"${service}"`;
const secrets = { [`${service}DatabasePassword`]: `it's old` };
let root: string;
const url = (database = 'postgres', role?: { name: string; password: string }) => {
  const given = new URL(process.env['TEST_DATABASE_URL'] ?? '');
  given.pathname = `/${database}`;
  if (role) Object.assign(given, { username: role.name, password: encodeURIComponent(role.password) });
  return given.href;
};
const postgres = { url };
const admin = <Row extends Record<string, unknown>>(sql: string, database = service) =>
  withClient(url(database), async (client) => (await client.query<Row>(sql)).rows);
const own = (tenant: string, sql: string) =>
  withClient(url(service, { name: service, password: `it's old` }), async (client) => {
    await client.query(`select set_config('sidecart.tenant', $1, false)`, [tenant]);
    return (await client.query<Record<string, unknown>>(sql)).rows;
  });
const prepare = () => prepareDatabases({ root, postgres, secrets, services: [service] });
const migration = (name: string, sql: string) => writeFile(join(root, 'services', service, 'migrations', name), sql);

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'sidecart-project-'));
  await mkdir(join(root, 'services', service, 'migrations'), { recursive: true });
  const things = 'create table things (tenant text not null, n bigint generated always as identity, made serial);';
  await migration('0001_create_things.sql', things);
  await admin(`create role ${quoted} login password 'it''s old'`, 'postgres');
  await admin(`create database ${quoted} owner ${quoted}`, 'postgres');
  await admin(`alter schema public owner to ${quoted}; revoke create on schema public from public`);
  await own(
    '',
    `create table migrations (name text primary key, applied_at timestamptz not null default now());
     insert into migrations values ('0001_create_things.sql'); ${things}
     insert into things (tenant) values ('main'), ('other')`,
  );
});
afterAll(async () => {
  await admin(`drop database ${quoted} with (force)`, 'postgres');
  await admin(`drop role ${quoted}, "${service}_migrator", "${service}_owner"`, 'postgres');
  await rm(root, { recursive: true });
});

describe('databases of an earlier version', () => {
  it('when they are prepared, once and again, rows and migrations stay, and the service no longer owns anything', async () => {
    expect(await own('', 'select 1 from things')).toHaveLength(2); // it saw everything
    for (let time = 0; time < 2; time++) {
      expect(await prepare()).toEqual({ migrations: 0 });
      const seen = [await own('main', 'select n from things'), await own('', 'select n from things')];
      expect(seen).toEqual([[{ n: '1' }], []]);
    }
    await own('main', `insert into things (tenant) values ('main')`);
    const owners = await admin<{ owner: string }>(
      `select distinct pg_get_userbyid(owner) as owner
         from (select relowner from pg_class where relnamespace = 'public'::regnamespace
               union select nspowner from pg_namespace where nspname = 'public'
               union select datdba from pg_database where datname = current_database()) as o (owner)`,
    );
    expect(owners).toEqual([{ owner: `${service}_owner` }]);
    await expect(own('main', 'alter table things disable row level security')).rejects.toThrow('must be owner');
    await expect(own('main', 'create temporary table mine (id text)')).rejects.toThrow('permission denied');
  });

  it('when nothing is being prepared, nobody logs in as the migrator or the owner', async () => {
    const roles = await admin(`select rolcanlogin from pg_roles where rolname like '${service}\\_%'`);
    expect(roles).toEqual([{ rolcanlogin: false }, { rolcanlogin: false }]);
  });

  it('when a migration changes rows, it changes those of every tenant', async () => {
    await migration('0002_change_things.sql', 'alter table things add note text; update things set note = tenant;');
    expect(await prepare()).toEqual({ migrations: 1 });
    expect(await admin('select 1 from things where note is null')).toEqual([]);
  });

  it('when a new table has no tenant and no comment says why, nothing of the migration is kept, and the table is named', async () => {
    await migration('0003_forget_tenant.sql', 'create table forgotten (id text)');
    await expect(prepare()).rejects.toThrow(/the table forgotten has no column tenant/);
    expect(await admin(`select 1 from pg_class where relname = 'forgotten'`)).toEqual([]);
    await migration(
      '0003_forget_tenant.sql',
      `create table forgotten (id text); comment on table forgotten is 'no tenant: it counts the days'`,
    );
    expect(await prepare()).toEqual({ migrations: 1 });
    await own('', `insert into forgotten values ('1')`);
  });

  it('when a table is append-only, nothing in it can be changed but the column that its comment names', async () => {
    await migration(
      '0004_close_notes.sql',
      `create table notes (tenant text not null, n integer, said text);
       comment on table notes is 'append-only but for said: people may be taken out of it'`,
    );
    await prepare();
    await own('main', `insert into notes values ('main', 1, 'Ada'); update notes set said = 'somebody'`);
    for (const sql of ['update notes set n = 2', 'delete from notes', `update notes set tenant = 'other'`])
      await expect(own('main', sql)).rejects.toThrow('permission denied');
    expect(await own('main', 'select n, said from notes')).toEqual([{ n: 1, said: 'somebody' }]);
  });
});
