import { cacheRows, type CacheSettings } from '../_chassis/cached-rows.ts';
import type { App, ServiceDeps } from '../_chassis/service.ts';
import { methods } from './methods.ts';
import { cachedProducts } from './store.ts';

/** Products as a function of what it stands on. */
export function buildApp(deps: ServiceDeps, settings: CacheSettings): App {
  const { cache, startRefreshing } = cacheRows(cachedProducts, deps, settings);
  return { methods: methods({ database: deps.database, cache }), startWorkers: () => [startRefreshing()] };
}
