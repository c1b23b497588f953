import { z } from 'zod';
import { catchUpEnvironment, databaseEnvironment, serviceEnvironment } from '../_chassis/config.ts';

const milliseconds = z.coerce.number().int().min(0).max(86_400_000).default(100);

/** The environment of fulfillment: how long picking and packing an order take. */
export const environment = {
  ...serviceEnvironment,
  ...databaseEnvironment,
  ...catchUpEnvironment,
  FULFILLMENT_PICK_MS: milliseconds,
  FULFILLMENT_PACK_MS: milliseconds,
};
