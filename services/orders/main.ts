import { readConfig } from '../_chassis/config.ts';
import { runService } from '../_chassis/service.ts';
import { buildApp } from './app.ts';
import { environment } from './config.ts';
import { ordersContract } from './contract.ts';

const config = readConfig(environment);
await runService(ordersContract, config, (deps) =>
  buildApp(deps, {
    placedMs: config.ORDERS_PLACED_DEADLINE_MS,
    reservedMs: config.ORDERS_RESERVED_DEADLINE_MS,
    overdueMs: config.ORDERS_OVERDUE_MS,
  }),
);
