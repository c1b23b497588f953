import { readConfig } from '../_chassis/config.ts';
import { createDatabase } from '../_chassis/database.ts';
import { createLifecycle } from '../_chassis/lifecycle.ts';
import { createLog } from '../_chassis/log.ts';
import { createMetrics } from '../_chassis/metrics.ts';
import { startOps } from '../_chassis/ops.ts';
import { listenHttp } from '../_chassis/listen.ts';
import { buildApp } from './app.ts';
import { bankEnvironment, readPassword } from './config.ts';

const config = readConfig(bankEnvironment);
const log = createLog('bank', config.LOG_LEVEL);
const metrics = createMetrics('bank', true);
const lifecycle = createLifecycle(log);
const database = createDatabase({
  service: 'bank',
  host: config.DATABASE_HOST,
  port: config.DATABASE_PORT,
  password: await readPassword(config.BANK_SECRETS_FILE),
  poolSize: config.DATABASE_POOL_SIZE,
  log,
});
const stopping = new AbortController();
const settings = { slowMs: config.BANK_SLOW_MS, lostMs: config.BANK_LOST_MS };
const app = buildApp({ database: database.across, log, metrics, stopping: stopping.signal }, settings);
const listening = await listenHttp(app, config.APP_PORT, config.APP_ADDRESS);
const checks = {
  stopping: async () => !lifecycle.stopping,
  database: async () => (await database.across.query('select 1')).length === 1,
};
await startOps({ port: config.OPS_PORT, host: config.OPS_ADDRESS, checks: () => checks, metrics });
log.info({ port: config.APP_PORT }, 'listening');

lifecycle.onStop('waiting requests', () => stopping.abort());
lifecycle.onStop('app', () => listening.close());
lifecycle.onStop('database', () => database.close());
