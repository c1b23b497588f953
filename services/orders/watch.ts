import { z } from 'zod';
import { withoutContext } from '../_chassis/context.ts';
import type { Database } from '../_chassis/database.ts';
import type { Log } from '../_chassis/log.ts';
import { outboxEnd, tailOutbox } from '../_chassis/outbox.ts';
import { startWorker, type Worker } from '../_chassis/worker.ts';
import { ordersContract } from './contract.ts';
import type { OrderRecord } from './record.ts';
import { findOrder } from './store.ts';

const { topic } = ordersContract.events.OrderPlaced;
const fact = z.object({ version: z.number() });
const pageSize = 500;
const tailEveryMs = 250;

/** Orders as somebody watches them move. */
export interface Watch {
  /**
   * The order as it is, undefined where there is none, and again whenever it has moved since it was last taken: moves that
   * come faster than they are taken come as one. Ends when the signal says so.
   */
  follow(tenant: string, id: string, signal: AbortSignal): AsyncGenerator<OrderRecord | undefined>;
}

/** An order that somebody follows, read once for all who do. */
interface Feed {
  readonly tenant: string;
  readonly id: string;
  readonly followers: Set<() => void>;
  record: OrderRecord | undefined;
  /** It may have moved since it was read. */
  stale: boolean;
  reading: boolean;
}

/**
 * Watches orders for any number of followers. What this process commits wakes them at once; what other replicas commit
 * comes by one tail of the outbox, which runs only while somebody follows and costs the same for one as for a thousand.
 * Either is only a hint: what followers get is read from the database, so that no order of hints loses or repeats a move.
 */
export function createWatch({ database, log }: { database: Database; log: Log }): Watch {
  const feeds = new Map<string, Feed>();
  let tail: { worker: Worker; begun: boolean } | undefined;

  database.onCommitted((events) => {
    for (const event of events) if (event.topic === topic) hint(event);
  });

  function hint({ tenant, subject, data }: { tenant: string; subject: string; data: unknown }): void {
    const feed = feeds.get(keyOf(tenant, subject));
    if (!feed || fact.parse(data).version <= (feed.record?.version ?? 0)) return;
    feed.stale = true;
    if (tail?.begun) void refresh(feed);
  }

  async function refresh(feed: Feed): Promise<void> {
    if (feed.reading) return; // and looks again afterwards
    feed.reading = true;
    try {
      while (feed.stale) {
        feed.stale = false;
        const record = await findOrder(database.of(feed.tenant), feed.tenant, feed.id);
        if (!record || record.version <= (feed.record?.version ?? 0)) continue;
        feed.record = record;
        for (const wake of feed.followers) wake();
      }
    } catch (error) {
      feed.stale = true; // the tail's next run tries again
      log.warn({ orderId: feed.id, err: error }, 'followed order not read');
    } finally {
      feed.reading = false;
    }
  }

  function startTail(): NonNullable<typeof tail> {
    let cursor: string | undefined;
    const run = async () => {
      cursor ??= await outboxEnd(database.across);
      const page = await tailOutbox(database.across, { topic, after: cursor, limit: pageSize });
      for (const event of page) hint(event);
      cursor = page.at(-1)?.cursor ?? cursor;
      // A tail that has been replaced knows nothing of where its successor begins.
      if (tail !== started) return false;
      started.begun = true;
      for (const feed of feeds.values()) if (feed.stale) void refresh(feed);
      return page.length === pageSize;
    };
    const worker = startWorker({ name: 'order-tail', idleMs: tailEveryMs, log, run });
    const started = { worker, begun: false };
    return started;
  }

  function join(tenant: string, id: string, follower: () => void): Feed {
    const key = keyOf(tenant, id);
    let feed = feeds.get(key);
    if (!feed) {
      // Not read before the tail has its cursor: what is committed between the two would be lost.
      feed = { tenant, id, followers: new Set(), record: undefined, stale: true, reading: false };
      feeds.set(key, feed);
      tail ??= withoutContext(startTail);
      if (tail.begun) void refresh(feed);
    }
    feed.followers.add(follower);
    return feed;
  }

  function leave(feed: Feed, follower: () => void): void {
    feed.followers.delete(follower);
    if (feed.followers.size === 0) feeds.delete(keyOf(feed.tenant, feed.id));
    if (feeds.size > 0) return;
    void tail?.worker.stop();
    tail = undefined;
  }

  return {
    async *follow(tenant, id, signal) {
      // One look is enough for an order that is not there, may not be seen or has ended: then nobody asks for more.
      const found = await findOrder(database.of(tenant), tenant, id);
      yield found;
      let version = found?.version ?? 0;
      let wake = () => {};
      const follower = () => wake();
      const feed = join(tenant, id, follower);
      signal.addEventListener('abort', follower);
      try {
        while (!signal.aborted) {
          if (feed.record && feed.record.version > version) {
            version = feed.record.version;
            yield feed.record;
          } else {
            await new Promise<void>((resolve) => (wake = resolve));
          }
        }
      } finally {
        signal.removeEventListener('abort', follower);
        leave(feed, follower);
      }
    },
  };
}

const keyOf = (tenant: string, id: string) => `${tenant}/${id}`;
