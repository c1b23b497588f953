import { readConfig } from '../_chassis/config.ts';
import { startBase } from '../_chassis/service.ts';
import { buildApp } from './app.ts';
import { gatewayEnvironment, quotasOf } from './config.ts';
import { proxyList } from './limit-caller.ts';
import { createLots } from './limit-lots.ts';
import { createLimit } from './limit.ts';
import { listenPublic, patience } from './server.ts';

const config = readConfig(gatewayEnvironment);
const base = await startBase(config);
const { lifecycle, log, metrics, sidecar } = base;
const stopping = () => lifecycle.stopping;
const isHealthy = async () => !stopping() && (await sidecar.isHealthy());

const proxies = proxyList(config.GATEWAY_TRUSTED_PROXIES);
const limit = createLimit({
  quotas: quotasOf(config),
  lots: createLots({ sidecar, log }),
  proxies,
  metrics,
});
const ending = new AbortController();
const app = buildApp(
  { ...base, limit, proxies, isHealthy, stopping, ending: ending.signal },
  { deadlineMs: config.GATEWAY_DEADLINE_MS, origins: config.GATEWAY_CORS_ORIGINS, servedBy: config.GATEWAY_NAME },
);
const listening = await listenPublic(app, config.APP_PORT, log, patience, undefined, config.APP_ADDRESS);
const files = { certificate: config.EDGE_CERTIFICATE_FILE, key: config.EDGE_KEY_FILE };
const secure =
  config.HTTPS_PORT && (await listenPublic(app, config.HTTPS_PORT, log, patience, files, config.APP_ADDRESS));
lifecycle.onStop('streams', () => ending.abort());
lifecycle.onStop('app', () => Promise.all([listening.close(), secure && secure.close()]));
base.addChecks({});
log.info({ port: listening.port, httpsPort: config.HTTPS_PORT }, 'listening');
