import type pg from 'pg';

/** Runs a statement; one with values is prepared by its text. */
export async function rows<Row extends pg.QueryResultRow>(
  client: pg.PoolClient,
  sql: string,
  values?: readonly unknown[],
): Promise<Row[]> {
  const query = values === undefined ? sql : { name: nameOf(sql), text: sql, values: [...values] };
  return (await send<Row>(client, query)).rows;
}

/** What is sent in one turn of the event loop goes out in one system call, and wakes the server once. */
export function send<Row extends pg.QueryResultRow>(client: pg.PoolClient, query: string | pg.QueryConfig) {
  const { stream } = client.connection;
  stream.cork();
  process.nextTick(() => stream.uncork());
  return client.query<Row>(query);
}

// PostgreSQL cuts longer names than 63 bytes. The statements are constants of the code, so there are only so many.
const names = new Map<string, string>();

/** The name under which a statement is prepared. */
function nameOf(sql: string): string {
  const name = names.get(sql) ?? `s${names.size}`;
  names.set(sql, name);
  return name;
}
