import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventType } from '../_chassis/contract.ts';
import { createDatabase, type Queryable } from '../_chassis/database.ts';
import { createLog } from '../_chassis/log.ts';
import { between, createTestDatabase, type TestDatabase } from '../_chassis/test-support/database.ts';
import { startTestService, type TestService } from '../_chassis/test-support/service.ts';
import { buildApp as buildInventory } from '../inventory/app.ts';
import { inventoryContract } from '../inventory/contract.ts';
import { buildApp as buildOrders } from '../orders/app.ts';
import { ordersContract } from '../orders/contract.ts';
import { buildApp as buildPayments } from '../payments/app.ts';
import { paymentsContract } from '../payments/contract.ts';
import { buildApp as buildProducts } from '../products/app.ts';
import { productsContract } from '../products/contract.ts';

// Stores that have all forgotten their tenant: what is left is the second lock. With the rights of a superuser, who has
// none, the same stores leak; so what is seen here is the lock, and not that nothing was there to leak.
const forgetful = (sql: string) => sql.replaceAll(/(?:\b\w+\.)?\btenant = \$(\d+)/g, '$$$1::text is not null');
const over =
  (db: Queryable): Queryable['query'] =>
  (sql, values) =>
    db.query(forgetful(sql), values);

const forgetting = (database: TestDatabase) =>
  between(database, (scope) => ({
    query: over(scope),
    transaction: (work) =>
      scope.transaction((tx) =>
        work({ ...tx, query: over(tx), write: (sql, values) => tx.write(forgetful(sql), values) }),
      ),
  }));

/** The same database with a superuser's rights, as if there were no row-level security. */
function unlocked(database: TestDatabase, service: string): TestDatabase {
  const { hostname: host, port, username: user, password, pathname } = new URL(database.url);
  const options = { host, port: Number(port), user, password, database: pathname.slice(1) };
  const own = createDatabase({ ...options, service, poolSize: 3, log: createLog(service, 'silent') });
  const close = () => own.close().then(() => database.close());
  return { ...database, ...own, close };
}

const customer = (tenant: string) => ({ sub: '1', roles: ['customer'], tenant });
const staff = (tenant: string) => ({ sub: '3', roles: ['staff', 'warehouse', 'admin'], tenant });
const noPace = { timeoutMs: 1_000, retryMs: 100, retryLimitMs: 100 };

describe.each([
  ['and the second lock holds', false],
  ['and there is no second lock', true],
])('when stores forget the tenant %s', (_name, leaks) => {
  let orders: TestService<typeof ordersContract>;
  let products: TestService<typeof productsContract>;
  let inventory: TestService<typeof inventoryContract>;
  let payments: TestService<typeof paymentsContract>;
  const databaseOf = async (service: string) => {
    const database = await createTestDatabase(service, new URL(`../${service}/migrations`, import.meta.url));
    return forgetting(leaks ? unlocked(database, service) : database);
  };
  beforeAll(async () => {
    orders = await startTestService({
      contract: ordersContract,
      database: await databaseOf('orders'),
      buildApp: (deps) => buildOrders(deps, { placedMs: 60_000, reservedMs: 60_000, overdueMs: 60_000 }),
    });
    products = await startTestService({
      contract: productsContract,
      database: await databaseOf('products'),
      // The cache is keyed by tenant; a rest for ever leaves the rows to themselves.
      buildApp: (deps) => buildProducts(deps, { ttlMs: 1, pauseMs: 1, trustMs: 1, refreshIntervalMs: 60_000 }),
    });
    inventory = await startTestService({
      contract: inventoryContract,
      database: await databaseOf('inventory'),
      buildApp: buildInventory,
    });
    payments = await startTestService({
      contract: paymentsContract,
      database: await databaseOf('payments'),
      buildApp: (deps) => buildPayments(deps, noPace),
    });
  });
  afterAll(() => Promise.all([orders, products, inventory, payments].map((service) => service.close())));

  it('an order of another tenant is neither found nor listed nor cancelled', async () => {
    const price = { productId: '1', name: 'One', price: { amount: 100, currency: 'EUR' }, version: 1 };
    const type = eventType('products', 'product.priced');
    await orders.deliver({ source: 'products', topic: 'products.events', type, subject: '1', data: price });
    const request = { items: [{ productId: '1', quantity: 1 }], paymentToken: 'tok_ok' };
    const placed = await (await orders.as(customer('main'))).placeOrder(request);
    if (placed.kind !== 'placed') throw new Error(placed.kind);
    const { id: orderId } = placed.order;

    const stranger = await orders.as(staff('other'));
    const found = await stranger.getOrder({ orderId });
    const listed = await stranger.listOrders({ limit: 10 });
    const cancelled = await stranger.cancelOrder({ orderId });
    const kinds = [found.kind, listed.kind === 'page' && listed.items.length, cancelled.kind];
    expect(kinds).toEqual(leaks ? ['found', 1, 'cancelled'] : ['not-found', 0, 'not-found']);
    expect((await (await orders.as(customer('other'))).placeOrder(request)).kind).toBe(
      leaks ? 'placed' : 'unknown-products',
    );
  });

  it('a product of another tenant is neither found nor listed nor changed', async () => {
    const product = { name: 'Kettle', category: 'kitchen', price: { amount: 100, currency: 'EUR' as const } };
    const created = await (await products.as(staff('main'))).createProduct(product);
    if (created.kind !== 'created') throw new Error(created.kind);
    const { id: productId } = created.product;

    const stranger = await products.as(staff('other'));
    const found = await stranger.getProduct({ productId });
    const listed = await stranger.listProducts({ limit: 10 });
    const retired = await stranger.retireProduct({ productId });
    const kinds = [found.kind, listed.kind === 'page' && listed.items.length, retired.kind];
    expect(kinds).toEqual(leaks ? ['found', 1, 'retired'] : ['not-found', 0, 'not-found']);
  });

  it('stock of another tenant is neither seen nor adjusted', async () => {
    const received = { productId: 'mug', warehouse: 'north' as const, quantity: 5 };
    expect((await (await inventory.as(staff('main'))).receiveStock(received)).kind).not.toBe('forbidden');
    const stranger = await inventory.as(staff('other'));
    const seen = await stranger.getStock({ productId: 'mug' });
    expect(seen.kind === 'stock' ? seen.stock.available : 0).toBe(leaks ? 5 : 0);
  });

  it('a payment of another tenant is not turned round', async () => {
    const say = (name: string, tenant: string, data: object = {}) =>
      payments.deliver({
        source: 'orders',
        topic: 'payments.requests',
        type: eventType('orders', name),
        subject: 'p1',
        tenant,
        data: { orderId: 'p1', ...data },
      });
    await say('payment.requested', 'main', { amount: { amount: 100, currency: 'EUR' }, paymentToken: 'tok_ok' });
    await say('payment.withdrawn', 'other', { reason: 'customer' });
    const state = leaks ? 'voided' : 'charging-unsent';
    expect(await payments.database.query('select tenant, state from payments')).toEqual([{ tenant: 'main', state }]);
  });
});
