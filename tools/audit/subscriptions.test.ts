import { describe, expect, it } from 'vitest';
import type { Database } from '../../services/_chassis/database.ts';
import { createLog } from '../../services/_chassis/log.ts';
import { createMetrics } from '../../services/_chassis/metrics.ts';
import type { App, ServiceDeps } from '../../services/_chassis/service.ts';
import { createMemorySidecar } from '../../services/_chassis/test-support/sidecar.ts';
import { buildApp as buildFulfillment } from '../../services/fulfillment/app.ts';
import { fulfillmentContract } from '../../services/fulfillment/contract.ts';
import { buildApp as buildInventory } from '../../services/inventory/app.ts';
import { inventoryContract } from '../../services/inventory/contract.ts';
import { buildApp as buildOrders } from '../../services/orders/app.ts';
import { ordersContract } from '../../services/orders/contract.ts';
import { buildApp as buildPayments } from '../../services/payments/app.ts';
import { paymentsContract } from '../../services/payments/contract.ts';
import { buildApp as buildProducts } from '../../services/products/app.ts';
import { productsContract } from '../../services/products/contract.ts';
import { messengers, type Messenger } from './books.ts';
import { topics } from './subscriptions.ts';

const unused = () => {
  throw new Error('an app that only says what it subscribes to asks for nothing');
};
const database: Database = { query: unused, transaction: unused, onCommitted: unused, close: unused };

const deps = (service: string): ServiceDeps => ({
  log: createLog(service, 'silent'),
  metrics: createMetrics(service),
  sidecar: createMemorySidecar(),
  connect: unused,
  database,
});

const apps: Readonly<Record<Messenger, App>> = {
  orders: buildOrders(deps('orders'), { placedMs: 1, reservedMs: 1, overdueMs: 1 }),
  inventory: buildInventory(deps('inventory')),
  payments: buildPayments(deps('payments'), { timeoutMs: 1, retryMs: 1, retryLimitMs: 1 }),
  fulfillment: buildFulfillment(deps('fulfillment'), { pickMs: 1, packMs: 1 }),
  products: buildProducts(deps('products'), { ttlMs: 1, pauseMs: 1, trustMs: 1, refreshIntervalMs: 1 }),
};
const contracts = [ordersContract, inventoryContract, paymentsContract, fulfillmentContract, productsContract];

describe('topics', () => {
  it('when compared with what the services subscribe to, are the same', () => {
    const subscribed = messengers.flatMap((consumer) =>
      (apps[consumer].subscriptions ?? []).map(({ source, topic }) => `${consumer} takes ${topic} of ${source}`),
    );
    const listed = topics.flatMap(({ producer, topic, consumers }) =>
      consumers.map((consumer) => `${consumer} takes ${topic} of ${producer}`),
    );
    expect(listed.sort()).toEqual(subscribed.sort());
  });

  it('when compared with the contracts, are all that anything is published to', () => {
    const published = contracts.flatMap(({ service, events }) =>
      Object.values(events).map(({ topic }) => `${service} ${topic}`),
    );
    const listed = topics.map(({ producer, topic }) => `${producer} ${topic}`);
    expect(listed.sort()).toEqual([...new Set(published)].sort());
  });
});
