import type { Client, Connect } from '../../../services/_chassis/client.ts';
import type { Contract } from '../../../services/_chassis/contract.ts';
import { createLog } from '../../../services/_chassis/log.ts';
import { createMetrics } from '../../../services/_chassis/metrics.ts';
import { memoryCounters } from '../../../services/_chassis/test-support/counters.ts';
import { staticAuthenticate } from '../../../services/_chassis/test-support/issuer.ts';
import { buildApp } from '../../../services/gateway/app.ts';
import { proxyList } from '../../../services/gateway/limit-caller.ts';
import { createLots } from '../../../services/gateway/limit-lots.ts';
import { quotaOf } from '../../../services/gateway/limit-share.ts';
import { createLimit } from '../../../services/gateway/limit.ts';
import type { LimitClass } from '../../../services/gateway/route.ts';
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
// One customer places thousands a second here: with his own limit it would measure refusals.
const quota = (name: LimitClass) => quotaOf(name, 100_000, 100_000, 'alone');
const metrics = createMetrics('gateway');
const proxies = proxyList([]);
const limit = createLimit({
  quotas: { read: quota('read'), write: quota('write'), order: quota('order'), 'sign-in': quota('sign-in') },
  lots: createLots({ sidecar: memoryCounters(), log }),
  proxies,
  metrics,
});
const app = buildApp(
  {
    log,
    connect,
    metrics,
    limit,
    proxies,
    authenticate: staticAuthenticate(environment.BENCH_VERIFICATION_KEYS),
    isHealthy: async () => true,
    stopping: () => false,
    ending: new AbortController().signal,
  },
  { deadlineMs: 2_500 },
);
await listenPublic(app, environment.APP_PORT, log);
await tellReady();
