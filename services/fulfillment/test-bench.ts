import { eventType } from '../_chassis/contract.ts';
import type { App } from '../_chassis/service.ts';
import { between, createTestDatabase } from '../_chassis/test-support/database.ts';
import { startTestService } from '../_chassis/test-support/service.ts';
import { uuidv7 } from '../_chassis/uuid.ts';
import type { Worker } from '../_chassis/worker.ts';
import { buildApp } from './app.ts';
import { fulfillmentContract } from './contract.ts';

/** For tests: two replicas of fulfillment on one database, whose workers run only while a test wants them. */
export type Bench = Awaited<ReturnType<typeof startBench>>;

export const pace = { pickMs: 30, packMs: 30 };
export const lines = [{ productId: '1', warehouse: 'north', quantity: 2 }];

/** Starts the replicas `one` and `two`; their workers rest. */
export async function startBench() {
  const database = await createTestDatabase('fulfillment', new URL('./migrations', import.meta.url), 10);
  let broken = false;

  async function startReplica() {
    let app: App | undefined;
    let workers: readonly Worker[] = [];
    const service = await startTestService({
      contract: fulfillmentContract,
      database: {
        ...between(database, (scope) => ({
          transaction: (work) =>
            broken
              ? Promise.reject(Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }))
              : scope.transaction(work),
        })),
        close: async () => {}, // the other replica stands on it, too
      },
      buildApp: (deps) => (app = buildApp(deps, pace)),
      budget: 3,
    });
    return {
      service,
      start: () => void (workers = app?.startWorkers?.() ?? []),
      stop: async () => void (await Promise.all(workers.map((worker) => worker.stop()))),
    };
  }

  const one = await startReplica();
  const two = await startReplica();
  const deliver = (name: string, orderId: string, data: object, id = uuidv7(), tenant = 'main', to = one) =>
    to.service.deliver({
      source: 'orders',
      topic: 'fulfillment.requests',
      type: eventType('orders', name),
      subject: orderId,
      data: { orderId, ...data },
      id,
      tenant,
    });

  return {
    database,
    one,
    two,
    breakDatabase: (now: boolean) => void (broken = now),
    deliver,
    request: (orderId: string, id?: string, tenant?: string, to?: typeof one) =>
      deliver('shipment.requested', orderId, { lines }, id, tenant, to),
    withdraw: (orderId: string, id?: string, to?: typeof one) =>
      deliver('shipment.withdrawn', orderId, { reason: 'customer' }, id, 'main', to),
    async stateOf(orderId: string) {
      const [row] = await database.query<{ state: string }>('select state from fulfillments where order_id = $1', [
        orderId,
      ]);
      return row?.state;
    },
    /** What orders was told of this order: `dispatched`, `cancelled`. */
    async answersTo(orderId: string) {
      const events = (await one.service.emitted()).filter((event) => event.subject === orderId);
      return events.map(({ type }) => type.split('.').at(-2));
    },
    async parcelsOf(orderId: string) {
      return (await database.query('select 1 from shipments where order_id = $1', [orderId])).length;
    },
    /** Orders whose due work is not for their very state. */
    neglected: () =>
      database.query(
        `select f.order_id, f.state, d.state as due
           from fulfillments f full join due_work d on d.kind = 'step' and d.subject = f.order_id
          where (f.state in ('picking', 'packed')) is distinct from (d.subject is not null) or d.state <> f.state`,
      ),
    async close() {
      await one.service.close();
      await two.service.close();
      await database.close();
    },
  };
}
