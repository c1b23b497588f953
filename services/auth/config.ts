import { z } from 'zod';
import { catchUpEnvironment, databaseEnvironment, serviceEnvironment } from '../_chassis/config.ts';

const day = 86_400_000;

/** The environment of auth: what the world calls it, how long a key signs, and since when it is published before. */
export const environment = {
  ...serviceEnvironment,
  ...databaseEnvironment,
  ...catchUpEnvironment,
  AUTH_KEY_ROTATION_MS: z.coerce
    .number()
    .int()
    .min(1_000)
    .default(30 * day),
  AUTH_KEY_LEAD_MS: z.coerce.number().int().min(400).default(3_600_000),
  AUTH_PASSWORD_QUEUE: z.coerce.number().int().min(1).max(100).default(16),
};
