import { eventLogOf } from '../../_chassis/client.ts';
import type { App, ServiceDeps } from '../../_chassis/service.ts';
import { ordersContract } from '../../orders/contract.ts';
import { subscriptions } from './events.ts';

/** Tally as a function of what it stands on. */
export const buildApp = ({ connect }: ServiceDeps): App => ({
  methods: {},
  subscriptions,
  eventLogs: () => ({ orders: eventLogOf('orders', connect(ordersContract)) }),
});
