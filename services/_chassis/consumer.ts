import type { z } from 'zod';
import { bySubject, eachTenant, inBatches } from './batches.ts';
import type { Contract } from './contract.ts';
import { contextOfTrace, withContext } from './context.ts';
import type { Database, Transaction } from './database.ts';
import { envelope, type Envelope } from './envelope.ts';
import { isConflict, isTransient } from './errors.ts';
import { handleOnce, handleTogether, keyOf, type Handled } from './inbox.ts';
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
  /**
   * Locks, in one order for all, what events of this topic share beyond their subjects: called before several are
   * handled in one transaction, which would otherwise lock it in the order of the events.
   */
  readonly lockShared?: (tx: Transaction, events: readonly Envelope[]) => Promise<void>;
}

// As many as one subscription has under way at once (`concurrency` of the pubsub component).
const batchSize = 20;

/** Throws unless an app subscribes to exactly the topics that its contract says it consumes. */
export function requireConsumed({ service, consumes = {} }: Contract, subscriptions: readonly Subscription[]): void {
  const said = Object.entries(consumes).flatMap(([source, topics]) => topics.map((topic) => `${topic} of ${source}`));
  const taken = subscriptions.map(({ source, topic }) => `${topic} of ${source}`);
  const onlySaid = said.find((one) => !taken.includes(one));
  if (onlySaid !== undefined)
    throw new Error(`${service} does not subscribe to ${onlySaid}, which its contract consumes`);
  const onlyTaken = taken.find((one) => !said.includes(one));
  if (onlyTaken !== undefined)
    throw new Error(`${service} subscribes to ${onlyTaken}, which its contract does not name`);
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

  async function apply(tx: Transaction, event: Envelope): Promise<void> {
    const handlers = byTopic.get(event.topic)?.handlers ?? {};
    const handler = Object.hasOwn(handlers, event.type) ? handlers[event.type] : undefined;
    await withContext(contextOfTrace(event.traceparent), async () => handler?.handle(tx, event.data, event));
  }

  function note(event: Envelope, result: Handled, error?: unknown): Handled {
    metrics.eventsHandled.inc({ topic: event.topic, result });
    const fields = { eventId: event.id, type: event.type, subject: event.subject, result };
    if (error === undefined) log.debug(fields, 'event handled');
    else
      withContext(contextOfTrace(event.traceparent), () =>
        log[result === 'dead' ? 'error' : 'warn']({ ...fields, err: error }, 'event not handled'),
      );
    return result;
  }

  async function handleAlone(event: Envelope): Promise<Handled> {
    const { result, error } = await handleOnce(database, event, apply, deps.budget);
    return note(event, result, error);
  }

  /**
   * All of them, which are of one tenant, in one transaction; when that fails, each in one of its own, so that only its
   * own failure counts.
   */
  async function handleBatch(events: readonly Envelope[], tenant: string): Promise<Handled[]> {
    const distinct = new Map(events.map((event) => [keyOf(event), event]));
    if (distinct.size < events.length || events.length === 1) return Promise.all(events.map(handleAlone));
    // Rows are locked in the order of their subjects, whichever of them a batch has.
    const ordered = events.toSorted(bySubject);
    try {
      const fresh = await handleTogether(database.of(tenant), ordered, async (tx, found) => {
        for (const [topic, { lockShared }] of byTopic) {
          const own = found.filter((event) => event.topic === topic);
          if (own.length > 0) await lockShared?.(tx, own);
        }
        for (const event of found) await apply(tx, event);
      });
      return events.map((event) => note(event, fresh.has(event) ? 'handled' : 'duplicate'));
    } catch (error) {
      if (isTransient(error) && !isConflict(error)) return events.map((event) => note(event, 'away', error));
      return Promise.all(events.map(handleAlone));
    }
  }

  // A transaction sees the rows of one tenant.
  const handle = inBatches(batchSize, (events: readonly Envelope[]) => eachTenant(events, handleBatch));

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
