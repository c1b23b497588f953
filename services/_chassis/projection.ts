import type { EventHandler } from './consumer.ts';
import { eventSource } from './contract.ts';
import type { Queryable, Transaction } from './database.ts';
import { envelope, type Envelope } from './envelope.ts';

/** A row's key, by column; all its columns are text. */
export type Key = Readonly<Record<string, string>>;

/** What a projection reads while it is rebuilt: its service's database, and the logs of those whom the service hears. */
export interface Sources {
  readonly db: Queryable;
  /** All events of a producer's topic about these subjects, in the order of its log. */
  readonly eventsAbout: (producer: string, topic: string, subjects: readonly string[]) => Promise<unknown[]>;
}

/** A read model that follows from events alone, and how to make it from them anew. */
export interface Projection {
  readonly table: string;
  readonly key: readonly string[];
  /** A query for the key of every row that events tell of, its columns named as the table's. */
  readonly keys: string;
  /** Puts the rows that all events of these keys make into a table that has none of them; gives how many events that were. */
  readonly fill: (sources: Sources, keys: readonly Key[], table: string) => Promise<number>;
}

/**
 * A read model that is made by the handlers of a subscription, a row for each subject; the handlers are given the name of
 * the table, and the same ones run live. What counts is what the inbox holds as handled: no more, no less.
 */
export function heardProjection(options: {
  table: string;
  key: readonly [tenant: string, subject: string];
  source: string;
  topic: string;
  handlers: (table: string) => Readonly<Record<string, EventHandler>>;
}): Projection {
  const { table, source, topic } = options;
  const [tenant, subject] = options.key;
  const urn = eventSource(source);
  return {
    table,
    key: options.key,
    keys: `select distinct tenant as "${tenant}", subject as "${subject}" from inbox
            where source = '${urn}' and topic = '${topic}' and status = 'handled'`,
    async fill({ db, eventsAbout }, keys, into) {
      const wanted = new Set(keys.map((key) => `${key[tenant]}/${key[subject]}`));
      const found = await eventsAbout(source, topic, [...new Set(keys.map((key) => key[subject] ?? ''))]);
      const events = found
        .map((one) => envelope.parse(one))
        .filter((one) => wanted.has(`${one.tenant}/${one.subject}`));
      const handled = await handledOf(db, urn, events);
      const handlers = options.handlers(into);
      const writes: Promise<unknown>[] = [];
      for (const event of handled) await handlers[event.type]?.handle(silent(db, writes), event.data, event);
      await Promise.all(writes);
      return handled.length;
    },
  };
}

async function handledOf(db: Queryable, source: string, events: readonly Envelope[]): Promise<Envelope[]> {
  const found = await db.query<{ id: string }>(
    `select id from inbox where source = $1 and id = any($2) and status = 'handled'`,
    [source, events.map(({ id }) => id)],
  );
  const ids = new Set(found.map(({ id }) => id));
  return events.filter(({ id }) => ids.has(id));
}

/** A transaction for handlers that only write their table: what was said once is not said again. */
const silent = (db: Queryable, writes: Promise<unknown>[]): Transaction => ({
  query: (sql, values) => db.query(sql, values),
  write(sql, values) {
    const written = db.query(sql, values);
    written.catch(() => undefined); // it is looked at when all are
    writes.push(written);
  },
  emit() {
    throw new Error('a projection says nothing');
  },
  within() {
    throw new Error('a projection is of one tenant at a time');
  },
  afterCommit: () => undefined,
});
