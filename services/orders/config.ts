import { z } from 'zod';
import { catchUpEnvironment, databaseEnvironment, serviceEnvironment } from '../_chassis/config.ts';

const ms = (byDefault: number) => z.coerce.number().int().min(100).default(byDefault);

/** The environment of orders: how long an order may wait for stock, for payment, and when it is told to be overdue. */
export const environment = {
  ...serviceEnvironment,
  ...databaseEnvironment,
  ...catchUpEnvironment,
  ORDERS_PLACED_DEADLINE_MS: ms(30_000),
  ORDERS_RESERVED_DEADLINE_MS: ms(60_000),
  ORDERS_OVERDUE_MS: ms(120_000),
};
