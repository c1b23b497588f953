import { eventLogOf } from '../_chassis/client.ts';
import type { App, ServiceDeps } from '../_chassis/service.ts';
import { ordersContract } from '../orders/contract.ts';
import { subscriptions } from './events.ts';
import { methods } from './methods.ts';

/** The service as a function of what it stands on. */
export function buildApp({ database, connect }: ServiceDeps): App {
  return {
    methods: methods(database),
    subscriptions,
    eventLogs: () => ({ orders: eventLogOf('orders', connect(ordersContract)) }),
  };
}
