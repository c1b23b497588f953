import { z } from 'zod';
import { catchUpEnvironment, databaseEnvironment, serviceEnvironment } from '../_chassis/config.ts';

const ms = (byDefault: number) => z.coerce.number().int().min(10).default(byDefault);
const days = 24 * 60 * 60 * 1_000;

/**
 * The environment of users: where people reach the shop, how long an invitation holds and an export is kept and waited for,
 * and the cache of public profiles as that of products.
 */
export const environment = {
  ...serviceEnvironment,
  ...databaseEnvironment,
  ...catchUpEnvironment,
  USERS_INVITATION_MS: ms(7 * days),
  USERS_EXPORT_WAIT_MS: ms(60_000),
  USERS_EXPORT_KEPT_MS: ms(7 * days),
  USERS_CACHE_TTL_MS: ms(300_000),
  USERS_CACHE_PAUSE_MS: ms(500),
  USERS_CACHE_TRUST_MS: ms(500),
  USERS_CACHE_REFRESH_INTERVAL_MS: ms(1_000),
};
