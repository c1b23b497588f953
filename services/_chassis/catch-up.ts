import type { Consumer } from './consumer.ts';
import type { Database } from './database.ts';
import { envelope } from './envelope.ts';
import { countFailed, finishedIn, pendingIn } from './inbox.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';
import type { LoggedEvent } from './outbox.ts';

/** A producer's outbox as its consumers reach it. */
export interface EventLog {
  readonly list: (page: { topic: string; after: string; limit: number }) => Promise<readonly LoggedEvent[]>;
  readonly read: (ids: readonly string[]) => Promise<readonly string[]>;
}

const pageSize = 500;
const readSize = 50;
const leaseSeconds = 15;

/**
 * Compares this consumer's inbox with the outbox of every producer it subscribes to, and handles what is missing; the
 * cursor moves only over events that the inbox holds as handled or failed. `graceMs` leaves young events to the broker.
 * One run of `tick` looks at every topic once; a topic whose producer is away does not hold up the others.
 */
export function createCatchUp(deps: {
  consumer: Consumer;
  database: Database;
  logs: Readonly<Record<string, EventLog>>;
  log: Log;
  metrics: Metrics;
  graceMs: number;
}): { readonly tick: () => Promise<void> } {
  const { consumer, log, metrics } = deps;
  const database = deps.database.across;

  async function redrivePending(): Promise<void> {
    for (const stored of await pendingIn(database, pageSize)) {
      const event = envelope.safeParse(stored);
      if (event.success) await consumer.handle(event.data);
    }
    metrics.deadLetters.set(await countFailed(database));
  }

  /** Handles one page; gives the cursor it may move to, and whether there is more behind it. */
  async function page(source: string, topic: string, after: string): Promise<{ cursor: string; more: boolean }> {
    const producer = deps.logs[source];
    if (!producer) throw new Error(`no event log of ${source} is configured`);
    const events = await producer.list({ topic, after, limit: pageSize });
    const urn = `urn:sidecart:${source}`;
    const finished = await finishedIn(
      database,
      urn,
      events.map((event) => event.id),
    );
    const missing = events.filter((event) => !finished.has(event.id));
    metrics.catchUpOldestAge.set({ topic }, Math.max(0, ...missing.map((event) => event.ageMs)) / 1_000);
    const overdue = missing.filter((event) => event.ageMs >= deps.graceMs);
    for (let start = 0; start < overdue.length; start += readSize) {
      const ids = overdue.slice(start, start + readSize).map((event) => event.id);
      for (const text of await producer.read(ids)) {
        const event = envelope.parse(JSON.parse(text));
        const result = await consumer.handle(event);
        if (result === 'handled') metrics.eventsCaughtUp.inc({ topic });
        if (result !== 'retry' && result !== 'away') finished.add(event.id);
      }
    }
    let cursor = after;
    for (const event of events) {
      if (!finished.has(event.id)) return { cursor, more: false };
      cursor = event.cursor;
    }
    return { cursor, more: events.length === pageSize };
  }

  async function topicOnce(source: string, topic: string): Promise<void> {
    for (let more = true; more;) {
      const claimed = await claim(source, topic);
      if (!claimed) {
        metrics.catchUpOldestAge.set({ topic }, 0); // another replica looks after it, and tells its age
        return;
      }
      const result = await page(source, topic, claimed.cursor).catch(async (error: unknown) => {
        await release(claimed, claimed.cursor);
        throw error;
      });
      await release(claimed, result.cursor);
      more = result.more;
    }
  }

  /** Leases the topic's cursor for this replica; the lease's end is the token that guards the release. */
  async function claim(source: string, topic: string) {
    const [row] = await database.query<{ cursor: string; lease: string }>(
      `insert into catch_up_cursors as c (source, topic, leased_until)
       values ($1, $2, clock_timestamp() + make_interval(secs => $3))
       on conflict (source, topic) do update set leased_until = excluded.leased_until
         where c.leased_until < clock_timestamp()
       returning cursor, leased_until::text as lease`,
      [source, topic, leaseSeconds],
    );
    return row && { source, topic, ...row };
  }

  async function release(claimed: { source: string; topic: string; lease: string }, cursor: string): Promise<void> {
    await database.query(
      `update catch_up_cursors set cursor = $4, leased_until = '-infinity'
        where source = $1 and topic = $2 and leased_until = $3::timestamptz`,
      [claimed.source, claimed.topic, claimed.lease, cursor],
    );
  }

  return {
    async tick() {
      await redrivePending();
      for (const { source, topic } of consumer.subscriptions) {
        await topicOnce(source, topic).catch((error: unknown) => {
          log.warn({ topic, err: error }, 'catch-up of a topic put off');
        });
      }
    },
  };
}
