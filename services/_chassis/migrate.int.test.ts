import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { migrate } from './migrate.ts';
import { createTestDatabase, type TestDatabase } from './test-support/database.ts';

let db: TestDatabase;
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sidecart-migrations-'));
  await mkdir(join(folder, 'none'));
  db = await createTestDatabase('nothing', pathToFileURL(join(folder, 'none')));
});
afterEach(async () => {
  await db.close();
  await rm(folder, { recursive: true });
});

const write = (name: string, sql: string) => writeFile(join(folder, name), sql);
const run = async () => {
  const client = new pg.Client({ connectionString: db.url });
  await client.connect();
  return migrate(client, folder).finally(() => client.end());
};
const tables = async () =>
  (
    await db.query<{ name: string }>(
      `select relname as name from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace order by 1`,
    )
  ).map((row) => row.name);

describe('migrate', () => {
  it('when run again, it applies only what is new, in order of name', async () => {
    await write('0001_create_a.sql', 'create table a (id text); insert into a values (1);');
    expect(await run()).toEqual(['0001_create_a.sql']);
    expect(await run()).toEqual([]);
    await write('0003_create_c.sql', 'create table c as select * from b;');
    await write('0002_create_b.sql', 'create table b as select * from a;');
    expect(await run()).toEqual(['0002_create_b.sql', '0003_create_c.sql']);
    expect(await tables()).toEqual(['a', 'b', 'c', 'migrations']);
  });

  it('when two replicas run it at once, it is applied once', async () => {
    await write('0001_create_a.sql', 'create table a (id text);');
    const applied = await Promise.all([run(), run(), run()]);
    expect(applied.flat()).toEqual(['0001_create_a.sql']);
  });

  it('when one file fails, nothing of the run is left, and the file is named', async () => {
    await write('0001_create_a.sql', 'create table a (id text);');
    await write('0002_create_b.sql', 'create table b (id text); select 1/0;');
    await expect(run()).rejects.toThrow(/0002_create_b\.sql/);
    expect(await tables()).toEqual(['migrations']);
    await write('0002_create_b.sql', 'create table b (id text);');
    expect(await run()).toEqual(['0001_create_a.sql', '0002_create_b.sql']);
  });

  it('when a file takes in another, as psql does, both are applied, relative to where they stand', async () => {
    await mkdir(join(folder, 'shared'));
    await write('shared/inner.sql', 'create table inner_one (id text);');
    await write('shared/outer.sql', '\\ir inner.sql\ncreate table outer_one (id text);');
    await write('0001_create_all.sql', '-- all of it\n\\ir shared/outer.sql\n');
    await run();
    expect(await tables()).toEqual(['inner_one', 'migrations', 'outer_one']);
  });

  it('when a file has no proper name, it is refused and not passed over', async () => {
    await write('0001_create_a.sql', 'create table a (id text);');
    await write('2_create-b.sql', 'create table b (id text);');
    await expect(run()).rejects.toThrow('2_create-b.sql');
    expect(await tables()).toEqual(['migrations']);
  });
});
