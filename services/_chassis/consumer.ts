import type { z } from 'zod';
import { contextOfTrace, withContext } from './context.ts';
import type { Database, Transaction } from './database.ts';
import { envelope, type Envelope } from './envelope.ts';
import { handleOnce, type Handled } from './inbox.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';

/** What a consumer does with one type of event: the fields it needs, and its effects inside the inbox's transaction. */
export interface EventHandler {
  readonly expects: z.ZodType;
  readonly handle: (tx: Transaction, data: unknown, event: Envelope) => Promise<void>;
}

/** An event handler whose data is typed by what it expects. */
export function on<Data extends z.ZodType>(
  expects: Data,
  handle: (tx: Transaction, data: z.output<Data>, event: Envelope) => Promise<void>,
): EventHandler {
  return { expects, handle: (tx, data, event) => handle(tx, expects.parse(data), event) };
}

/** A topic of a producer, and a handler for each type of event that matters here; other types only get their inbox row. */
export interface Subscription {
  readonly source: string;
  readonly topic: string;
  readonly handlers: Readonly<Record<string, EventHandler>>;
}

/** What the broker is told: taken, come again, or unreadable (goes to the dead-letter topic). */
export type Delivery = 'SUCCESS' | 'RETRY' | 'DROP';

export interface Consumer {
  readonly service: string;
  readonly subscriptions: readonly Subscription[];
  /** Handles what the broker delivered. */
  deliver(topic: string, message: unknown): Promise<Delivery>;
  /** Handles an event that came by another way than the broker; same effects. */
  handle(event: Envelope): Promise<Handled>;
}

/** One table of handlers behind every way an event can come: HTTP, gRPC, catch-up and redrive. */
export function createConsumer(deps: {
  service: string;
  database: Database;
  log: Log;
  metrics: Metrics;
  subscriptions: readonly Subscription[];
  budget?: number;
}): Consumer {
  const { service, database, log, metrics, subscriptions } = deps;
  const byTopic = new Map(subscriptions.map((subscription) => [subscription.topic, subscription]));

  async function handle(event: Envelope): Promise<Handled> {
    const handlers = byTopic.get(event.topic)?.handlers ?? {};
    const handler = Object.hasOwn(handlers, event.type) ? handlers[event.type] : undefined;
    return withContext(contextOfTrace(event.traceparent), async () => {
      const { result, error } = await handleOnce(
        database,
        event,
        async (tx) => handler?.handle(tx, event.data, event),
        deps.budget,
      );
      metrics.eventsHandled.inc({ topic: event.topic, result });
      const fields = { eventId: event.id, type: event.type, subject: event.subject, result };
      if (error === undefined) log.debug(fields, 'event handled');
      else log[result === 'dead' ? 'error' : 'warn']({ ...fields, err: error }, 'event not handled');
      return result;
    });
  }

  return {
    service,
    subscriptions,
    handle,
    async deliver(topic, message) {
      const parsed = envelope.safeParse(message);
      const known = parsed.success && byTopic.get(topic);
      if (!known || parsed.data.topic !== topic || parsed.data.source !== `urn:sidecart:${known.source}`) {
        metrics.eventsHandled.inc({ topic, result: 'dropped' });
        log.error({ topic }, 'message without a readable envelope dropped');
        return 'DROP';
      }
      const result = await handle(parsed.data);
      return result === 'retry' || result === 'away' ? 'RETRY' : 'SUCCESS';
    },
  };
}
