import { eventLogOf } from '../_chassis/client.ts';
import { gaugeByState } from '../_chassis/metrics.ts';
import type { App, ServiceDeps } from '../_chassis/service.ts';
import type { Worker } from '../_chassis/worker.ts';
import { ordersContract } from '../orders/contract.ts';
import { createAdvance, type Pace } from './advance.ts';
import { subscriptions } from './events.ts';
import { countOpen } from './store.ts';
import { startStepWorker } from './worker.ts';

/** Fulfillment as a function of what it stands on. */
export function buildApp({ database, log, metrics, connect }: ServiceDeps, pace: Pace): App {
  let worker: Worker | undefined;
  const advance = createAdvance(pace, (inMs) => worker?.wake(inMs));
  gaugeByState(metrics, {
    name: 'sidecart_fulfillment_open_count',
    help: 'Orders that are being picked and packed, by state',
    count: () => countOpen(database.across),
  });
  return {
    methods: {},
    subscriptions: subscriptions(advance),
    eventLogs: () => ({ orders: eventLogOf('orders', connect(ordersContract)) }),
    startWorkers: () => [(worker = startStepWorker({ database, log, advance }))],
  };
}
