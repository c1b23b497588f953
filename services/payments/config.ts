import { z } from 'zod';
import { catchUpEnvironment, databaseEnvironment, serviceEnvironment } from '../_chassis/config.ts';

const milliseconds = (byDefault: number) => z.coerce.number().int().min(10).max(120_000).default(byDefault);

/** The environment of payments: how long one try at the bank may take, and how soon the next follows. */
export const environment = {
  ...serviceEnvironment,
  ...databaseEnvironment,
  ...catchUpEnvironment,
  PAYMENTS_BANK_TIMEOUT_MS: milliseconds(10_000),
  PAYMENTS_RETRY_MS: milliseconds(250),
  PAYMENTS_RETRY_LIMIT_MS: milliseconds(5_000),
};
