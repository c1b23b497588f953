import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { createLog } from '../../../services/_chassis/log.ts';
import { createMetrics } from '../../../services/_chassis/metrics.ts';
import { listenHttp } from '../../../services/_chassis/listen.ts';
import { createTestDatabase, type TestDatabase } from '../../../services/_chassis/test-support/database.ts';
import { startTestService, type TestService } from '../../../services/_chassis/test-support/service.ts';
import { buildApp as buildBank } from '../../../services/bank/app.ts';
import { seed as seedBank } from '../../../services/bank/seed.ts';
import { buildApp as buildFulfillment } from '../../../services/fulfillment/app.ts';
import { fulfillmentContract } from '../../../services/fulfillment/contract.ts';
import { seed as seedFulfillment } from '../../../services/fulfillment/seed.ts';
import { buildApp as buildInventory } from '../../../services/inventory/app.ts';
import { inventoryContract } from '../../../services/inventory/contract.ts';
import { seed as seedInventory } from '../../../services/inventory/seed.ts';
import { buildApp as buildOrders } from '../../../services/orders/app.ts';
import { ordersContract } from '../../../services/orders/contract.ts';
import { seed as seedOrders } from '../../../services/orders/seed.ts';
import { buildApp as buildPayments } from '../../../services/payments/app.ts';
import { paymentsContract } from '../../../services/payments/contract.ts';
import { seed as seedPayments } from '../../../services/payments/seed.ts';
import { buildApp as buildProducts } from '../../../services/products/app.ts';
import { productsContract } from '../../../services/products/contract.ts';
import { seed as seedProducts } from '../../../services/products/seed.ts';
import { bookkeepers, type Bookkeeper, type Databases } from '../books.ts';
import { topics } from '../subscriptions.ts';

type Messenger = Exclude<Bookkeeper, 'bank'>;
const isMessenger = (service: string): service is Messenger =>
  bookkeepers.some((one) => one === service) && service !== 'bank';
const messengers = bookkeepers.filter(isMessenger);

/** All services of the core in this process, seeded, on databases of their own; what they say goes to and fro when a test wants it. */
export interface SmallMesh {
  readonly databases: Databases;
  readonly orders: TestService<typeof ordersContract>;
  readonly products: TestService<typeof productsContract>;
  readonly inventory: TestService<typeof inventoryContract>;
  /** Delivers what is in the outboxes and was not delivered, until nothing more is said; to these services only. */
  deliver(...to: Messenger[]): Promise<void>;
  /** Waits until a query on a service's database gives no row. */
  until(service: Bookkeeper, query: string): Promise<void>;
  /** The same, delivering to all meanwhile. */
  deliverUntilNone(service: Bookkeeper, query: string): Promise<void>;
  /** Delivers one type of event before all else that waits, as a broker may. */
  deliverFirst(to: Messenger, type: string): Promise<void>;
  /** Ends the services; the databases stay until `drop`. */
  stop(): Promise<void>;
  drop(): Promise<void>;
}

const seeds: Readonly<Record<Bookkeeper, (client: pg.ClientBase) => Promise<void>>> = {
  orders: seedOrders,
  inventory: seedInventory,
  payments: seedPayments,
  fulfillment: seedFulfillment,
  products: seedProducts,
  bank: seedBank,
};

/** Starts the mesh; the bank answers at once, and every worker does its work as soon as it is there. */
export async function startSmallMesh(): Promise<SmallMesh> {
  const books = {
    orders: await seeded('orders'),
    inventory: await seeded('inventory'),
    payments: await seeded('payments'),
    fulfillment: await seeded('fulfillment'),
    products: await seeded('products'),
    bank: await seeded('bank'),
  };
  const stopping = new AbortController();
  const bank = await listenHttp(
    buildBank(
      {
        database: books.bank.across,
        log: createLog('bank', 'silent'),
        metrics: createMetrics('bank'),
        stopping: stopping.signal,
      },
      { slowMs: 50, lostMs: 50 },
    ),
    0,
  );
  const deadlines = { placedMs: 600_000, reservedMs: 600_000, overdueMs: 600_000 };
  const cache = { ttlMs: 60_000, pauseMs: 500, trustMs: 500, refreshIntervalMs: 60_000 };
  const pace = { timeoutMs: 2_000, retryMs: 20, retryLimitMs: 50 };
  const services = {
    orders: await startTestService({
      contract: ordersContract,
      database: kept(books.orders),
      buildApp: (deps) => buildOrders(deps, deadlines),
    }),
    inventory: await startTestService({
      contract: inventoryContract,
      database: kept(books.inventory),
      buildApp: buildInventory,
    }),
    products: await startTestService({
      contract: productsContract,
      database: kept(books.products),
      buildApp: (deps) => buildProducts(deps, cache),
    }),
    fulfillment: await startTestService({
      contract: fulfillmentContract,
      database: kept(books.fulfillment),
      buildApp: (deps) => buildFulfillment(deps, { pickMs: 20, packMs: 20 }),
      workers: true,
    }),
    payments: await startTestService({
      contract: paymentsContract,
      database: kept(books.payments),
      buildApp(deps) {
        const invoke: typeof deps.sidecar.invoke = async (_app, path, { verb = 'POST', body }) => {
          const init = { method: verb, ...(body !== undefined && { body }) };
          const response = await fetch(`http://127.0.0.1:${bank.port}${path}`, init);
          return { status: response.status, body: await response.text() };
        };
        return buildPayments({ ...deps, sidecar: { ...deps.sidecar, invoke } }, pace);
      },
      workers: true,
    }),
  };
  const delivered = new Set<string>();

  async function deliverOnce(to: readonly Messenger[], only?: string): Promise<number> {
    let count = 0;
    for (const { producer, topic, consumers } of topics) {
      const wanted = consumers.filter(isMessenger).filter((consumer) => to.includes(consumer));
      if (wanted.length === 0 || !isMessenger(producer)) continue;
      const said = (await services[producer].emitted()).filter((event) => event.topic === topic);
      for (const consumer of wanted) {
        for (const event of said) {
          const name = `${consumer} ${event.id}`;
          if (delivered.has(name) || (only !== undefined && event.type !== only)) continue;
          const { type, subject, data, id, tenant } = event;
          const told = await services[consumer].deliver({ source: producer, topic, type, subject, data, id, tenant });
          if (told !== 'SUCCESS') throw new Error(`${consumer} did not take ${type} of ${subject}`);
          delivered.add(name);
          count += 1;
        }
      }
    }
    return count;
  }

  const mesh: SmallMesh = {
    databases: {
      orders: books.orders.url,
      inventory: books.inventory.url,
      payments: books.payments.url,
      fulfillment: books.fulfillment.url,
      products: books.products.url,
      bank: books.bank.url,
    },
    ...services,
    async deliver(...to) {
      while ((await deliverOnce(to.length === 0 ? messengers : to)) > 0);
    },
    until: (service, query) => waitFor(async () => (await books[service].query(query)).length === 0, query),
    deliverUntilNone: (service, query) =>
      waitFor(async () => {
        await mesh.deliver();
        return (await books[service].query(query)).length === 0;
      }, query),
    async deliverFirst(to, type) {
      if ((await deliverOnce([to], type)) === 0) throw new Error(`no ${type} waits for ${to}`);
    },
    async stop() {
      stopping.abort();
      await Promise.all(messengers.map((service) => services[service].close()));
      await bank.close();
    },
    async drop() {
      await Promise.all(bookkeepers.map((service) => books[service].close()));
    },
  };
  return mesh;
}

/** The database for a service that does not drop it when it ends. */
const kept = (database: TestDatabase): TestDatabase => ({ ...database, close: async () => undefined });

async function waitFor(isSo: () => Promise<boolean>, what: string): Promise<void> {
  const limit = Date.now() + 20_000;
  while (!(await isSo())) {
    if (Date.now() > limit) throw new Error(`still rows: ${what}`);
    await delay(20); // the workers are at it
  }
}

async function seeded(service: Bookkeeper): Promise<TestDatabase> {
  const migrations = new URL(`../../../services/${service}/migrations`, import.meta.url);
  const database = await createTestDatabase(service, migrations);
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  try {
    await seeds[service](client);
  } finally {
    await client.end();
  }
  return database;
}
