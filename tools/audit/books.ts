import pg from 'pg';
import type { z } from 'zod';

/** The services that keep books, each in its own database. */
export const bookkeepers = ['orders', 'inventory', 'payments', 'fulfillment', 'products', 'bank'] as const;
export type Bookkeeper = (typeof bookkeepers)[number];

/** Those that send and get events; the bank does neither. */
export const messengers = ['orders', 'inventory', 'payments', 'fulfillment', 'products'] as const;
export type Messenger = (typeof messengers)[number];

/** A connection string for each service's database. */
export type Databases = Readonly<Record<Bookkeeper, string>>;

/** One service's database as of one moment. */
export interface Book {
  rows<Row extends z.ZodType>(row: Row, sql: string): Promise<z.output<Row>[]>;
  /** The same, a page at a time, so that a long table is never held whole. */
  pages<Row extends z.ZodType>(row: Row, sql: string): AsyncGenerator<z.output<Row>[]>;
}

/** All books. `steady` says that nothing was said while they were opened, so that they show one moment of the mesh. */
export type Books = Readonly<Record<Bookkeeper, Book>> & { readonly steady: boolean; close(): Promise<void> };

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
  const open = async (service: Bookkeeper) => {
    const client = await connect(databases[service]);
    clients.push(client);
    const mark = async () =>
      (await client.query<{ mark: string }>(service === 'bank' ? lastEntered : lastSaid)).rows[0];
    return { client, mark, before: (await mark())?.mark };
  };
  try {
    const opened = {
      orders: await open('orders'),
      inventory: await open('inventory'),
      payments: await open('payments'),
      fulfillment: await open('fulfillment'),
      products: await open('products'),
      bank: await open('bank'),
    };
    let steady = true;
    for (const { client, mark, before } of Object.values(opened)) {
      await client.query('begin isolation level repeatable read read only');
      steady = (await mark())?.mark === before && steady;
    }
    const { orders, inventory, payments, fulfillment, products, bank } = opened;
    return {
      orders: bookOf(orders.client),
      inventory: bookOf(inventory.client),
      payments: bookOf(payments.client),
      fulfillment: bookOf(fulfillment.client),
      products: bookOf(products.client),
      bank: bookOf(bank.client),
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
