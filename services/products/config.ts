import { z } from 'zod';
import { catchUpEnvironment, databaseEnvironment, serviceEnvironment } from '../_chassis/config.ts';

const ms = (byDefault: number) => z.coerce.number().int().min(10).default(byDefault);

/** The environment of products: how long the cache keeps an entry, is left alone after a failure, and is trusted unasked. */
export const environment = {
  ...serviceEnvironment,
  ...databaseEnvironment,
  ...catchUpEnvironment,
  PRODUCTS_CACHE_TTL_MS: ms(300_000),
  PRODUCTS_CACHE_PAUSE_MS: ms(500),
  PRODUCTS_CACHE_TRUST_MS: ms(500),
  PRODUCTS_CACHE_REFRESH_INTERVAL_MS: ms(1_000),
};
