import { randomBytes } from 'node:crypto';
import pg from 'pg';

/** Runs some work on a connection, and closes it. */
export async function connected<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

const at = (url: string, database: string) => Object.assign(new URL(url), { pathname: `/${database}` }).href;

/** Copies a database; whoever is connected to it is thrown out, because PostgreSQL copies only what nobody uses. */
export async function copyDatabase(url: string): Promise<{ url: string; drop: () => Promise<void> }> {
  const original = new URL(url).pathname.slice(1);
  const copy = `scratch_${randomBytes(6).toString('hex')}`;
  await connected(at(url, 'postgres'), async (client) => {
    await client.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [original]);
    await client.query(`create database ${copy} template ${original}`);
  });
  return {
    url: at(url, copy),
    drop: () => connected(at(url, 'postgres'), async (client) => void (await client.query(`drop database ${copy}`))),
  };
}
