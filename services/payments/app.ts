import { eventLogOf } from '../_chassis/client.ts';
import { Counter, gaugeByState } from '../_chassis/metrics.ts';
import type { App, ServiceDeps } from '../_chassis/service.ts';
import type { Worker } from '../_chassis/worker.ts';
import { ordersContract } from '../orders/contract.ts';
import { createAdvance } from './advance.ts';
import { subscriptions } from './events.ts';
import { countOpen } from './store.ts';
import { startBankWorker, type BankPace } from './worker.ts';

/** Payments as a function of what it stands on. */
export function buildApp({ database, sidecar, log, metrics, connect }: ServiceDeps, pace: BankPace): App {
  let worker: Worker | undefined;
  const advance = createAdvance(() => worker?.wake());
  gaugeByState(metrics, {
    name: 'sidecart_payments_open_count',
    help: 'Payments that have a question for the bank, by state',
    count: () => countOpen(database.across),
  });
  const bankTries = new Counter({
    name: 'sidecart_payments_bank_tries_total',
    help: 'Tries at the bank by question (charge, reverse) and outcome; unknown ones are repeated',
    labelNames: ['question', 'outcome'],
    registers: [metrics.registry],
  });
  return {
    methods: {},
    subscriptions: subscriptions(advance),
    eventLogs: () => ({ orders: eventLogOf('orders', connect(ordersContract)) }),
    startWorkers: () => [(worker = startBankWorker({ database, sidecar, log, advance, bankTries }, pace))],
  };
}
