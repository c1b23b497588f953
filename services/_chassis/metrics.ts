import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

/** The metrics that every service keeps; `registry` is what the ops port shows at /metrics. */
export type Metrics = ReturnType<typeof createMetrics>;

/** A registry of its own for each app, so that tests can run several in one process. */
export function createMetrics(service: string, defaults = false) {
  const registry = new Registry();
  registry.setDefaultLabels({ service });
  // By default it measures the event loop's lag by waking an idle process a hundred times a second.
  if (defaults) collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 100 });
  const registers = [registry];
  return {
    registry,
    methodDuration: new Histogram({
      name: 'sidecart_method_duration_seconds',
      help: 'Duration of a method call by method and kind of answer',
      labelNames: ['method', 'answer'],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
      registers,
    }),
    streamsOpen: new Gauge({
      name: 'sidecart_streams_open_count',
      help: 'Streams that are being answered, by method',
      labelNames: ['method'],
      registers,
    }),
    eventsHandled: new Counter({
      name: 'sidecart_events_handled_total',
      help: 'Events by topic and result: handled, duplicate, retry, dead, dropped',
      labelNames: ['topic', 'result'],
      registers,
    }),
    eventsPublished: new Counter({
      name: 'sidecart_events_published_total',
      help: 'Events handed to the broker, or left to catch-up, by topic and result: published, left',
      labelNames: ['topic', 'result'],
      registers,
    }),
    catchUpOldestAge: new Gauge({
      name: 'sidecart_catchup_oldest_age_seconds',
      help: "Age of the oldest event of a topic that this consumer's inbox still lacks; 0 when it lacks none",
      labelNames: ['topic'],
      registers,
    }),
    eventsCaughtUp: new Counter({
      name: 'sidecart_catchup_events_total',
      help: 'Events that came by catch-up and not by the broker',
      labelNames: ['topic'],
      registers,
    }),
    deadLetters: new Gauge({
      name: 'sidecart_inbox_failed_count',
      help: 'Inbox rows marked failed: the dead letters, waiting for a person',
      registers,
    }),
  };
}

/**
 * A gauge of how many things are in each state that is not final, counted whenever somebody looks; without figures while
 * they can't be counted, so that the other metrics are seen all the same.
 */
export function gaugeByState(
  { registry }: Metrics,
  options: { name: string; help: string; count: () => Promise<readonly { state: string; count: number }[]> },
): void {
  new Gauge({
    name: options.name,
    help: options.help,
    labelNames: ['state'],
    registers: [registry],
    async collect() {
      const found = await options.count().catch(() => []);
      this.reset();
      for (const { state, count } of found) this.set({ state }, count);
    },
  });
}

/** A gauge of one figure, asked for whenever somebody looks; it keeps the last one while it can't be had. */
export function gaugeOf(
  { registry }: Metrics,
  options: { name: string; help: string; value: () => Promise<number> },
): void {
  new Gauge({
    name: options.name,
    help: options.help,
    registers: [registry],
    async collect() {
      const value = await options.value().catch(() => undefined);
      if (value !== undefined) this.set(value);
    },
  });
}

export { Counter, Gauge, Histogram };
