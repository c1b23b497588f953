import type { Client, Connect } from '../../../services/_chassis/client.ts';
import type { Contract } from '../../../services/_chassis/contract.ts';
import { createAuthenticate } from '../../../services/_chassis/identity.ts';
import { createLog } from '../../../services/_chassis/log.ts';
import { createMetrics } from '../../../services/_chassis/metrics.ts';
import { buildApp } from '../../../services/gateway/app.ts';
import { listenPublic } from '../../../services/gateway/server.ts';
import { environment, tellReady } from './environment.ts';
import { placedOrder } from './order.ts';

// The gateway as it is, but that the order service's client answers at once: what is left is the handler.
const connect: Connect = <C extends Contract>(contract: C) => {
  const placed = async () => ({ kind: 'placed', order: placedOrder });
  const client: unknown = Object.fromEntries(Object.keys(contract.methods).map((name) => [name, placed]));
  return client as Client<C>;
};
const log = createLog('gateway', environment.LOG_LEVEL);
const app = buildApp(
  {
    log,
    connect,
    metrics: createMetrics('gateway'),
    authenticate: createAuthenticate(environment.BENCH_VERIFICATION_KEYS),
    isHealthy: async () => true,
    stopping: () => false,
    ending: new AbortController().signal,
  },
  { deadlineMs: 2_500 },
);
await listenPublic(app, environment.APP_PORT, log);
await tellReady();
