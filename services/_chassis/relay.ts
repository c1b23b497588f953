import { withoutContext } from './context.ts';
import type { Envelope } from './envelope.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';
import type { Sidecar } from './sidecar.ts';

const batchSize = 100;
const queueLimit = 10_000;

/** Publishes what this process has just committed; `idle` resolves when nothing is queued or in flight. */
export interface Relay {
  push(events: readonly Envelope[]): void;
  idle(): Promise<void>;
}

/**
 * Pub/sub only makes the outbox quick: each event is handed to the broker once, in batches by topic, and forgotten
 * whatever comes of it, because consumers compare their inboxes with the outbox. So there is no lease, no mark and no
 * retry here, and a queue that grows too long is cut.
 */
export function createRelay(deps: { sidecar: Pick<Sidecar, 'publish'>; log: Log; metrics: Metrics }): Relay {
  const queues = new Map<string, Envelope[]>();
  const running = new Map<string, Promise<void>>();

  async function drain(topic: string, queue: Envelope[]): Promise<void> {
    await Promise.resolve(); // lets everything committed in this turn join the batch
    while (queue.length > 0) {
      const batch = queue.splice(0, batchSize);
      const left = await deps.sidecar.publish(topic, batch).catch((error: unknown) => {
        deps.log.warn({ topic, events: batch.length, err: error }, 'events left to catch-up');
        return batch.length;
      });
      deps.metrics.eventsPublished.inc({ topic, result: 'published' }, batch.length - left);
      if (left > 0) deps.metrics.eventsPublished.inc({ topic, result: 'left' }, left);
    }
    running.delete(topic);
  }

  return {
    push(events) {
      for (const event of events) {
        const queue = queues.get(event.topic) ?? [];
        queues.set(event.topic, queue);
        if (queue.length < queueLimit) queue.push(event);
        else deps.metrics.eventsPublished.inc({ topic: event.topic, result: 'left' });
        // Not in the context of the call that committed: a batch holds events of many, and may go out after its deadline.
        if (!running.has(event.topic)) withoutContext(() => running.set(event.topic, drain(event.topic, queue)));
      }
    },
    async idle() {
      while (running.size > 0) await Promise.all(running.values());
    },
  };
}
