import { DependencyError } from '../_chassis/errors.ts';
import { eventType } from '../_chassis/contract.ts';
import type { App } from '../_chassis/service.ts';
import { between, createTestDatabase } from '../_chassis/test-support/database.ts';
import { startTestService } from '../_chassis/test-support/service.ts';
import { uuidv7 } from '../_chassis/uuid.ts';
import type { Worker } from '../_chassis/worker.ts';
// eslint-disable-next-line no-restricted-imports -- only tests import this file: the real bank stands behind it
import { startBank } from '../bank/test-bench.ts';
import { buildApp } from './app.ts';
import { paymentsContract } from './contract.ts';

/** For tests: payments on its database, and the real bank on its own behind a network that can be watched and broken. */
export type Bench = Awaited<ReturnType<typeof startBench>>;

type Reply = { status: number; body: string };
type Network = (path: string, send: () => Promise<Reply>) => Promise<Reply>;

// Slower than all tries of one call together, so that a slow charge outlasts its POST.
const tryMs = 200;
export const slowMs = 3_000;
const pace = { timeoutMs: 1_000, retryMs: 20, retryLimitMs: 100 };
export const amount = { amount: 1_250, currency: 'EUR' };

export async function startBench() {
  const database = await createTestDatabase('payments', new URL('./migrations', import.meta.url), 10);
  const bank = await startBank({ slowMs, lostMs: 5_000 });
  let app: App | undefined;
  let broken = false;
  const breakable = <T>(work: () => Promise<T>): Promise<T> =>
    broken ? Promise.reject(Object.assign(new Error('refused'), { code: 'ECONNREFUSED' })) : work();
  const service = await startTestService({
    contract: paymentsContract,
    database: between(database, (scope) => ({
      query: (...args) => breakable(() => scope.query(...args)),
      transaction: (work) => breakable(() => scope.transaction(work)),
    })),
    buildApp: (deps) => (app = buildApp(deps, pace)),
    budget: 3,
  });
  let workers: readonly Worker[] = [];

  const calls: string[] = [];
  let network: Network = (_path, send) => send();
  service.sidecar.onInvoke((_bank, path, { verb = 'POST', body }) => {
    calls.push(`${verb} ${path}`);
    return network(path, () => throughSidecar(`http://127.0.0.1:${bank.port}${path}`, verb, body));
  });

  const deliver = (name: string, orderId: string, data: object, id = uuidv7(), tenant = 'main') =>
    service.deliver({
      source: 'orders',
      topic: 'payments.requests',
      type: eventType('orders', name),
      subject: orderId,
      data: { orderId, ...data },
      id,
      tenant,
    });

  return {
    service,
    database,
    books: bank.database,
    calls,
    /** Puts something between the sidecar and the bank; without an argument the network is whole again. */
    through: (next: Network = (_path, send) => send()) => void (network = next),
    breakDatabase: (now: boolean) => void (broken = now),
    startWorker: () => void (workers = app?.startWorkers?.() ?? []),
    request: (orderId: string, paymentToken = 'tok_ok', id?: string, tenant?: string) =>
      deliver('payment.requested', orderId, { amount, paymentToken }, id, tenant),
    withdraw: (orderId: string, id?: string) => deliver('payment.withdrawn', orderId, { reason: 'customer' }, id),
    deliver,
    async stateOf(orderId: string) {
      const [row] = await database.query<{ state: string }>('select state from payments where order_id = $1', [
        orderId,
      ]);
      return row?.state;
    },
    /** What orders was told of this order, shortened to `captured` or `reversed voided`. */
    async answersTo(orderId: string) {
      const events = (await service.emitted()).filter((event) => event.subject === orderId);
      return events.map(({ type, data }) => {
        const { outcome } = data as { outcome?: string };
        return [type.split('.').at(-2), ...(outcome === undefined ? [] : [outcome])].join(' ');
      });
    },
    /** What the bank moved for this order: `charge` and `refund`. */
    movedFor: async (orderId: string) => (await bank.entriesOf(orderId)).map(([kind]) => kind),
    /** Payments whose due work is not for their very state: a question that nobody would ask, or one too many. */
    neglected: () =>
      database.query(
        `select p.order_id, p.state, d.state as asked
           from payments p full join due_work d on d.kind = 'bank' and d.subject = p.order_id
          where (p.state in ('charging-unsent', 'charging-sent', 'reversing')) is distinct from (d.subject is not null)
             or d.state <> p.state`,
      ),
    async close() {
      await Promise.all(workers.map((worker) => worker.stop()));
      await bank.close();
      await service.close();
    },
  };
}

/** As resiliency.yaml has it, only shorter: a time-out and two more tries, for 503 and for a time-out. */
async function throughSidecar(url: string, verb: string, body: string | undefined): Promise<Reply> {
  for (let tries = 1; ; tries++) {
    try {
      const response = await fetch(url, { method: verb, body: body ?? null, signal: AbortSignal.timeout(tryMs) });
      const reply = { status: response.status, body: await response.text() };
      if (reply.status !== 503 || tries === 3) return reply;
    } catch (error) {
      if (tries === 3) throw new DependencyError('bank', 'unreachable', { cause: error });
    }
  }
}
