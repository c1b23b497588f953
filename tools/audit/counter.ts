import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { createCatchUp } from '../../services/_chassis/catch-up.ts';
import { createConsumer, on } from '../../services/_chassis/consumer.ts';
import { createDatabase, type Queryable } from '../../services/_chassis/database.ts';
import { createLog } from '../../services/_chassis/log.ts';
import { createMetrics } from '../../services/_chassis/metrics.ts';
import { migrate } from '../../services/_chassis/migrate.ts';
import { listOutbox, readOutbox } from '../../services/_chassis/outbox.ts';
import { ordersContract } from '../../services/orders/contract.ts';
import { z } from 'zod';

/** A consumer of orders.events that does nothing but count, so that a lost or doubled effect shows (I14). */
export interface Counter {
  /** Takes what is in the log of orders and not counted yet; how many events it has then counted, by order. */
  readonly count: () => Promise<Map<string, number>>;
  /** Drops its database. */
  close(): Promise<void>;
}

const topic = 'orders.events';
const eventTypes = Object.values(ordersContract.events).filter((event) => event.topic === topic);

/**
 * Starts counting with an empty database beside that of orders, named after it; it uses the inbox and the catch-up that
 * every service uses, and reads the outbox directly. The connection string must be a superuser's.
 */
export async function openCounter(ordersUrl: string): Promise<Counter> {
  const url = new URL(ordersUrl);
  const name = `${url.pathname.slice(1)}_counter`;
  const orders = new pg.Pool({ connectionString: ordersUrl, max: 2 });
  // A server that goes away is reported by the query as well; without a listener it would end this process.
  orders.on('error', () => undefined);
  await orders.query(`drop database if exists ${name} with (force)`);
  await orders.query(`create database ${name}`);
  await prepare(Object.assign(new URL(ordersUrl), { pathname: `/${name}` }));

  const log = createLog('counter', 'silent');
  const metrics = createMetrics('counter');
  const database = createDatabase({
    service: 'counter',
    host: url.hostname,
    port: Number(url.port),
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    database: name,
    poolSize: 2,
    log,
  });
  const count = on(z.object({ orderId: z.string() }), async (tx, { orderId }) => {
    await tx.query(
      `insert into counts (order_id, events) values ($1, 1)
       on conflict (order_id) do update set events = counts.events + 1`,
      [orderId],
    );
  });
  const handlers = Object.fromEntries(eventTypes.map(({ type }) => [type, count]));
  const consumer = createConsumer({
    service: 'counter',
    database,
    log,
    metrics,
    subscriptions: [{ source: 'orders', topic, handlers }],
  });
  const outbox = {
    query: async <Row extends pg.QueryResultRow>(sql: string, values: readonly unknown[] = []) =>
      (await orders.query<Row>(sql, [...values])).rows,
  };
  const catchUp = createCatchUp({
    consumer,
    database,
    logs: { orders: { list: (page) => listOutbox(outbox, page), read: (ids) => readOutbox(outbox, ids) } },
    log,
    metrics,
    graceMs: 0,
  });
  return {
    async count() {
      // An open transaction anywhere in the server holds back the end of the log, for as long as it is open.
      const total = async (on: Queryable, sql: string) => (await on.query<{ n: number }>(sql))[0]?.n;
      const all = () => total(outbox, `select count(*)::int as n from outbox where topic = '${topic}'`);
      const taken = () => total(database.across, 'select count(*)::int as n from inbox');
      await catchUp.tick();
      for (const limit = Date.now() + 10_000; Date.now() < limit && (await taken()) !== (await all());) {
        await delay(50);
        await catchUp.tick();
      }
      const rows = await database.across.query<{ id: string; events: number }>(
        'select order_id as id, events from counts',
      );
      return new Map(rows.map(({ id, events }) => [id, events]));
    },
    async close() {
      await database.close();
      await orders.query(`drop database if exists ${name} with (force)`);
      await orders.end();
    },
  };
}

async function prepare(url: URL): Promise<void> {
  const client = new pg.Client({ connectionString: url.href });
  await client.connect();
  try {
    await migrate(client, join(import.meta.dirname, 'counter-migrations'));
  } finally {
    await client.end();
  }
}
