import { cacheRows, type CacheSettings } from '../_chassis/cached-rows.ts';
import { eventLogOf } from '../_chassis/client.ts';
import type { App, ServiceDeps } from '../_chassis/service.ts';
import { authContract } from '../auth/contract.ts';
import { ordersContract } from '../orders/contract.ts';
import { startEndings } from './erasure.ts';
import { subscriptions } from './events.ts';
import { methods, type Settings } from './methods.ts';
import { cachedProfiles } from './store.ts';

/** Users as a function of what it stands on. */
export function buildApp(deps: ServiceDeps, settings: Settings & { readonly cache: CacheSettings }): App {
  const { database, connect } = deps;
  const { cache, startRefreshing } = cacheRows(cachedProfiles, deps, settings.cache);
  return {
    methods: methods({ database, cache }, settings),
    subscriptions,
    eventLogs: () => ({
      auth: eventLogOf('auth', connect(authContract)),
      orders: eventLogOf('orders', connect(ordersContract)),
    }),
    startWorkers: () => [startRefreshing(), ...startEndings(deps)],
  };
}
