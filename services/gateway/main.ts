import { readConfig } from '../_chassis/config.ts';
import { startBase } from '../_chassis/service.ts';
import { buildApp } from './app.ts';
import { gatewayEnvironment } from './config.ts';
import { listenPublic } from './server.ts';

const config = readConfig(gatewayEnvironment);
const base = await startBase(config);
const { lifecycle, log, sidecar } = base;
const stopping = () => lifecycle.stopping;
const isHealthy = async () => !stopping() && (await sidecar.isHealthy());

const ending = new AbortController();
const app = buildApp(
  { ...base, isHealthy, stopping, ending: ending.signal },
  { deadlineMs: config.GATEWAY_DEADLINE_MS },
);
const listening = await listenPublic(app, config.APP_PORT, log);
lifecycle.onStop('streams', () => ending.abort());
lifecycle.onStop('app', () => listening.close());
base.addChecks({});
log.info({ port: listening.port }, 'listening');
