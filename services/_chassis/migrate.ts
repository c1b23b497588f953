import { readFile, readdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { ClientBase } from 'pg';
import { queryableOver } from './database.ts';
import { secureTables } from './tenancy.ts';

/** Reads an SQL file; a line `\ir file` is replaced by that file, relative to this one, as psql does. */
async function readSql(file: string): Promise<string> {
  const lines = (await readFile(file, 'utf8')).split('\n');
  const parts = lines.map(async (line) => {
    const included = /^\\ir\s+(\S+)\s*$/.exec(line)?.[1];
    return included === undefined ? line : readSql(resolve(dirname(file), included));
  });
  return (await Promise.all(parts)).join('\n');
}

/** A directory's `NNNN_verb_object.sql` files in order, whole; throws on an SQL file of another name. */
export async function readMigrations(directory: string): Promise<{ name: string; sql: string }[]> {
  const names = (await readdir(directory)).filter((name) => name.endsWith('.sql')).sort();
  const misnamed = names.find((name) => !/^\d{4}_\w+\.sql$/.test(name));
  if (misnamed !== undefined) throw new Error(`${join(directory, misnamed)} is not named like 0001_create_orders.sql`);
  return Promise.all(names.map(async (name) => ({ name, sql: await readSql(join(directory, name)) })));
}

/**
 * Applies the directory's migrations that the database does not hold yet, in order of name, all in one transaction
 * under a lock, so that replicas that start together don't race; in the same transaction the tables are opened to the
 * service, each tenant's rows by themselves, if one is named. Returns the names of those applied; throws naming the file
 * that failed.
 */
export async function migrate(client: ClientBase, directory: string, service?: string): Promise<string[]> {
  const migrations = await readMigrations(directory);
  let current = 'the table of migrations';
  await client.query('begin');
  try {
    await client.query(`select pg_advisory_xact_lock(hashtext('migrations'))`);
    await client.query(
      'create table if not exists migrations (name text primary key, applied_at timestamptz not null default now())',
    );
    const known = await client.query<{ name: string }>('select name from migrations');
    const applied = new Set(known.rows.map((row) => row.name));
    const missing = migrations.filter(({ name }) => !applied.has(name));
    for (const { name, sql } of missing) {
      current = join(directory, name);
      await client.query(sql);
      await client.query('insert into migrations (name) values ($1)', [name]);
    }
    current = 'row-level security';
    if (service !== undefined) await secureTables(queryableOver(client), service);
    await client.query('commit');
    return missing.map(({ name }) => name);
  } catch (error) {
    await client.query('rollback').catch(() => undefined); // it may be the connection that failed
    throw new Error(`${current} could not be applied`, { cause: error });
  }
}
