import { readConfig } from '../_chassis/config.ts';
import { runService } from '../_chassis/service.ts';
import { buildApp } from './app.ts';
import { environment } from './config.ts';
import { paymentsContract } from './contract.ts';

const config = readConfig(environment);
await runService(paymentsContract, config, (deps) =>
  buildApp(deps, {
    timeoutMs: config.PAYMENTS_BANK_TIMEOUT_MS,
    retryMs: config.PAYMENTS_RETRY_MS,
    retryLimitMs: config.PAYMENTS_RETRY_LIMIT_MS,
  }),
);
