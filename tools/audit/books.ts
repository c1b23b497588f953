import pg from 'pg';
import type { z } from 'zod';

/** The services whose tables the audit knows, each in its own database. */
export const bookkeepers = ['orders', 'inventory', 'payments', 'fulfillment', 'products', 'bank'] as const;
export type Bookkeeper = (typeof bookkeepers)[number];

/** A connection string for each service's database, theirs and those of all other services that send or get events. */
export type Databases = Readonly<Record<Bookkeeper, string> & Record<string, string>>;

/** Those that send and get events; the bank does neither. */
export const messengersOf = (databases: Databases): [service: string, url: string][] =>
  Object.entries(databases).filter(([service]) => service !== 'bank');

/** One service's database as of one moment. */
export interface Book {
  rows<Row extends z.ZodType>(row: Row, sql: string): Promise<z.output<Row>[]>;
  /** The same, a page at a time, so that a long table is never held whole. */
  pages<Row extends z.ZodType>(row: Row, sql: string): AsyncGenerator<z.output<Row>[]>;
}

/**
 * All books, those of the messengers once more by name. `steady` says that nothing was said while they were opened, so that
 * they show one moment of the mesh.
 */
export type Books = Readonly<Record<Bookkeeper, Book>> & {
  readonly messengers: ReadonlyMap<string, Book>;
  readonly steady: boolean;
  close(): Promise<void>;
};

const pageSize = 2_000;
const lastSaid = 'select coalesce(max(position), 0)::text as mark from outbox';
const lastEntered = 'select coalesce(max(id), 0)::text as mark from entries';

/**
 * Opens all books for reading, each as of the moment when it is opened, and holds them there until they are closed. Each
 * is looked at before the first is opened and again when it is: if it said nothing in between, it shows the moment before
 * the first was opened, as all others do. A read-only transaction draws no transaction id, so however long it lasts it
 * holds up no reader of an outbox.
 */
export async function openBooks(databases: Databases): Promise<Books> {
  const clients: pg.Client[] = [];
  const close = async () => {
    await Promise.all(clients.map((client) => client.end().catch(() => undefined)));
  };
  const open = async (service: string, url: string) => {
    const client = await connect(url);
    clients.push(client);
    // All but those of a replay, which come and go.
    const tables = `select string_agg(quote_ident(tablename), ', ' order by tablename) as all from pg_tables
                     where schemaname = 'public' and tablename not like '%\\_rebuilt%'`;
    const { rows } = await client.query<{ all: string }>(tables);
    const lock = `lock table ${rows[0]?.all} in access share mode`;
    const mark = async () =>
      (await client.query<{ mark: string }>(service === 'bank' ? lastEntered : lastSaid)).rows[0];
    return { service, client, lock, mark, before: (await mark())?.mark };
  };
  try {
    const opened = [];
    for (const [service, url] of Object.entries(databases)) opened.push(await open(service, url));
    let steady = true;
    const books = new Map<string, Book>();
    for (const { service, client, lock, mark, before } of opened) {
      // Before the first look: a read model that took another's place later would seem empty as of this moment.
      await client.query(`begin isolation level repeatable read read only; ${lock}`);
      steady = (await mark())?.mark === before && steady;
      books.set(service, bookOf(client));
    }
    const book = (service: string): Book => {
      const found = books.get(service);
      if (!found) throw new Error(`the audit was given no database of ${service}`);
      return found;
    };
    return {
      orders: book('orders'),
      inventory: book('inventory'),
      payments: book('payments'),
      fulfillment: book('fulfillment'),
      products: book('products'),
      bank: book('bank'),
      messengers: new Map(messengersOf(databases).map(([service]) => [service, book(service)])),
      steady,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000, application_name: 'audit' });
  // A server that goes away is reported by the query as well; without a listener it would end this process.
  client.on('error', () => undefined);
  await client.connect();
  await client.query(
    `set idle_in_transaction_session_timeout = 0; set statement_timeout = '10min'; set timezone = 'UTC'`,
  );
  return client;
}

function bookOf(client: pg.Client): Book {
  let cursors = 0;
  return {
    async rows(row, sql) {
      const { rows } = await client.query<pg.QueryResultRow>(sql);
      return rows.map((found) => row.parse(found));
    },
    async *pages(row, sql) {
      const cursor = `audit_${++cursors}`;
      await client.query(`declare ${cursor} no scroll cursor for ${sql}`);
      for (;;) {
        const { rows } = await client.query<pg.QueryResultRow>(`fetch ${pageSize} from ${cursor}`);
        if (rows.length === 0) break;
        yield rows.map((found) => row.parse(found));
      }
      await client.query(`close ${cursor}`);
    },
  };
}
