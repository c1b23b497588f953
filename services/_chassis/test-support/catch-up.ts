import { z } from 'zod';
import { createCatchUp, type EventLog } from '../catch-up.ts';
import { createConsumer, on } from '../consumer.ts';
import { DependencyError } from '../errors.ts';
import { createLog } from '../log.ts';
import { createMetrics } from '../metrics.ts';
import { listOutbox, readOutbox } from '../outbox.ts';
import { createTestDatabase, untilListable, type TestDatabase } from './database.ts';

export const topic = 'producer.events';
export const Happened = { type: 'com.sidecart.producer.thing.happened.v1', topic, data: z.object({ n: z.number() }) };
const migrations = new URL('./migrations', import.meta.url);
const log = createLog('consumer', 'silent');

export interface ConsumerOptions {
  /** By producer; the bench's own one by default. */
  readonly logs?: Readonly<Record<string, EventLog>>;
  readonly fail?: (n: number) => boolean;
  readonly away?: (n: number) => boolean;
  readonly graceMs?: number;
}

/** A producer's database and a consumer's, and what lies between them. */
export async function startCatchUpBench() {
  const [producer, inbox] = await Promise.all([
    createTestDatabase('producer', migrations),
    createTestDatabase('consumer', migrations),
  ]);
  const outbox: EventLog = {
    list: (page) => listOutbox(producer.across, page),
    read: (ids) => readOutbox(producer.across, ids),
  };
  return {
    producer,
    inbox,
    outbox,
    emit: (...numbers: number[]) =>
      producer.of('main').transaction(async (tx) => {
        for (const n of numbers) tx.emit(Happened, { subject: String(n), tenant: 'main', data: { n } });
      }),
    startConsumer: (options: ConsumerOptions = {}) => startConsumer(producer, inbox, outbox, options),
    close: () => Promise.all([producer.close(), inbox.close()]),
  };
}

/** A consumer that notes what it handled, in the order it did. */
function startConsumer(producer: TestDatabase, inbox: TestDatabase, outbox: EventLog, options: ConsumerOptions) {
  const handled: number[] = [];
  const metrics = createMetrics('consumer');
  const handle = on(Happened.data, async (_tx, { n }) => {
    if (options.fail?.(n) === true) throw new Error(`cannot handle ${n}`);
    if (options.away?.(n) === true) throw new DependencyError('database', 'unreachable');
    handled.push(n);
  });
  const logs = options.logs ?? { producer: outbox };
  const subscriptions = Object.keys(logs).map((source) => ({
    source,
    topic: `${source}.events`,
    handlers: { [Happened.type]: handle },
  }));
  const consumer = createConsumer({ service: 'consumer', database: inbox, log, metrics, subscriptions, budget: 3 });
  const { tick } = createCatchUp({ consumer, database: inbox, logs, log, metrics, graceMs: options.graceMs ?? 0 });
  return {
    handled,
    metrics,
    consumer,
    tick,
    /** A tick once everything that is committed can be listed. */
    catchUp: { tick: () => untilListable(producer).then(tick) },
    cursor: async () => {
      const [row] = await inbox.query<{ cursor: string }>(
        `select cursor from catch_up_cursors where source = 'producer'`,
      );
      return row?.cursor;
    },
  };
}

export const upTo = (n: number) => Array.from({ length: n }, (_, i) => i);
