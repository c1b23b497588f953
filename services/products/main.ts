import { readConfig } from '../_chassis/config.ts';
import { runService } from '../_chassis/service.ts';
import { buildApp } from './app.ts';
import { environment } from './config.ts';
import { productsContract } from './contract.ts';

const config = readConfig(environment);
await runService(productsContract, config, (deps) =>
  buildApp(deps, {
    ttlMs: config.PRODUCTS_CACHE_TTL_MS,
    pauseMs: config.PRODUCTS_CACHE_PAUSE_MS,
    trustMs: config.PRODUCTS_CACHE_TRUST_MS,
    refreshIntervalMs: config.PRODUCTS_CACHE_REFRESH_INTERVAL_MS,
  }),
);
