import { readFile, readdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { ClientBase } from 'pg';

/** Reads an SQL file; a line `\ir file` is replaced by that file, relative to this one, as psql does. */
async function readSql(file: string): Promise<string> {
  const lines = (await readFile(file, 'utf8')).split('\n');
  const parts = lines.map(async (line) => {
    const included = /^\\ir\s+(\S+)\s*$/.exec(line)?.[1];
    return included === undefined ? line : readSql(resolve(dirname(file), included));
  });
  return (await Promise.all(parts)).join('\n');
}

/**
 * Applies the directory's `NNNN_*.sql` files that the database does not hold yet, in order of name, all in one
 * transaction under a lock, so that replicas that start together don't race. Returns the names of those applied.
 */
export async function migrate(client: ClientBase, directory: string): Promise<string[]> {
  const names = (await readdir(directory)).filter((name) => /^\d{4}_\w+\.sql$/.test(name)).sort();
  await client.query('begin');
  try {
    await client.query(`select pg_advisory_xact_lock(hashtext('migrations'))`);
    await client.query(
      'create table if not exists migrations (name text primary key, applied_at timestamptz not null default now())',
    );
    const known = await client.query<{ name: string }>('select name from migrations');
    const applied = new Set(known.rows.map((row) => row.name));
    const missing = names.filter((name) => !applied.has(name));
    for (const name of missing) {
      await client.query(await readSql(join(directory, name)));
      await client.query('insert into migrations (name) values ($1)', [name]);
    }
    await client.query('commit');
    return missing;
  } catch (error) {
    await client.query('rollback');
    throw new Error(`migration in ${directory} failed`, { cause: error });
  }
}
