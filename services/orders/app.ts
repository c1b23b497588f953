import { eventLogOf } from '../_chassis/client.ts';
import { gaugeByState } from '../_chassis/metrics.ts';
import type { App, ServiceDeps } from '../_chassis/service.ts';
import { fulfillmentContract } from '../fulfillment/contract.ts';
import { inventoryContract } from '../inventory/contract.ts';
import { paymentsContract } from '../payments/contract.ts';
import { productsContract } from '../products/contract.ts';
import { usersContract } from '../users/contract.ts';
import { subscriptions } from './events.ts';
import { methods } from './methods.ts';
import { knowsPrices } from './prices.ts';
import { createSaga, type Deadlines } from './saga.ts';
import { countOpen } from './store.ts';
import { createWatch } from './watch.ts';

/** Orders as a function of what it stands on. */
export function buildApp(deps: ServiceDeps, deadlines: Deadlines): App {
  const { database, metrics, connect } = deps;
  const saga = createSaga({ ...deps, deadlines });
  gaugeByState(metrics, {
    name: 'sidecart_orders_open_count',
    help: 'Orders that have not ended, by state',
    count: () => countOpen(database.across),
  });
  return {
    methods: methods({ database, saga, watch: createWatch(deps) }),
    subscriptions: subscriptions(saga),
    eventLogs: () => ({
      inventory: eventLogOf('inventory', connect(inventoryContract)),
      payments: eventLogOf('payments', connect(paymentsContract)),
      fulfillment: eventLogOf('fulfillment', connect(fulfillmentContract)),
      products: eventLogOf('products', connect(productsContract)),
      users: eventLogOf('users', connect(usersContract)),
    }),
    checks: { prices: () => knowsPrices(database.across) },
    startWorkers: () => [saga.startDeadlines()],
  };
}
