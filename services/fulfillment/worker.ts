import type { Database } from '../_chassis/database.ts';
import { finish, startDueWork } from '../_chassis/due-work.ts';
import type { Log } from '../_chassis/log.ts';
import { shareTransactions } from '../_chassis/shared-transactions.ts';
import type { Worker } from '../_chassis/worker.ts';
import { stepKind, type Advance } from './advance.ts';
import { decideShipment, nextWork } from './shipment.ts';
import { shipmentState } from './store.ts';

const batch = 8;

/**
 * Brings orders forward, each step one conditional update in a transaction of its own: of two workers, or a worker and a
 * withdrawal, only the first finds the state it is for. Any number of replicas share the work.
 */
export function startStepWorker(deps: { database: Database; log: Log; advance: Advance }): Worker {
  const { database, log, advance } = deps;
  const transaction = shareTransactions(database, batch);
  return startDueWork({
    kind: stepKind,
    database,
    log,
    batch,
    leaseMs: 10_000,
    idleMs: 1_000,
    perform: (work) =>
      transaction(work, async (tx) => {
        const state = shipmentState.parse(work.state);
        const step = nextWork(state);
        const from = { tenant: work.tenant, orderId: work.subject, state };
        if (!step || !(await advance(tx, from, decideShipment(state, step)))) finish(tx, work);
      }),
  });
}
