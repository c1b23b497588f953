import { contextOfTrace, currentContext, withContext } from './context.ts';
import type { Database, Queryable, Transaction } from './database.ts';
import type { Log } from './log.ts';
import { startWorker, type Worker } from './worker.ts';

/** Something to do at a time, for the state its subject must still be in; `attempts` counts leases, this one included. */
export interface DueWork {
  readonly kind: string;
  readonly subject: string;
  readonly tenant: string;
  readonly state: string;
  readonly attempts: number;
  /** The trace of whoever scheduled it. */
  readonly traceparent: string | null;
}

type Writes = Pick<Transaction, 'write'>;

/** Puts work in, or replaces what this kind holds for the subject, in the transaction of the state it is for. */
export function schedule(
  tx: Writes,
  work: { kind: string; subject: string; tenant: string; state: string; inMs: number },
): void {
  tx.write(
    `insert into due_work (kind, subject, tenant, state, due_at, traceparent)
     values ($1, $2, $3, $4, clock_timestamp() + make_interval(secs => $5::float8 / 1000), $6)
     on conflict (kind, subject) do update
       set state = excluded.state, due_at = excluded.due_at, leased_until = '-infinity', attempts = 0,
           traceparent = excluded.traceparent`,
    [work.kind, work.subject, work.tenant, work.state, work.inMs, currentContext()?.traceparent ?? null],
  );
}

/** Takes work out, if it is still for that state (or whatever it is for). */
export function finish(tx: Writes, work: { kind: string; subject: string; state?: string }): void {
  tx.write('delete from due_work where kind = $1 and subject = $2 and ($3::text is null or state = $3)', [
    work.kind,
    work.subject,
    work.state ?? null,
  ]);
}

/** Gives work back for later, if it is still for that state; its attempts stay counted. */
export function putOff(tx: Writes, work: DueWork, inMs: number): void {
  tx.write(
    `update due_work
        set leased_until = '-infinity', due_at = clock_timestamp() + make_interval(secs => $4::float8 / 1000)
      where kind = $1 and subject = $2 and state = $3`,
    [work.kind, work.subject, work.state, inMs],
  );
}

/** Says that leased work is from now on for another state; lease, time and attempts stay as they are. */
export function restate(tx: Writes, work: DueWork, state: string): DueWork {
  tx.write('update due_work set state = $4 where kind = $1 and subject = $2 and state = $3', [
    work.kind,
    work.subject,
    work.state,
    state,
  ]);
  return { ...work, state };
}

/**
 * Leases due work for this replica, earliest first; a lease that runs out (crash, hang) makes it due again, so whoever
 * does it must be guarded by the subject's state and not by the lease.
 */
export async function lease(
  db: Queryable,
  options: { kind: string; limit: number; leaseMs: number; states?: readonly string[] },
): Promise<DueWork[]> {
  return db.query<DueWork & Record<string, unknown>>(
    // Not a subquery of the update: a plan that runs it more than once would lease more than was asked for. The statement's
    // time and not the clock's, which no index can be asked for; and rows that this statement has locked stay where they are.
    `with due as materialized (
       select ctid from due_work
        where kind = $1 and due_at <= statement_timestamp() and leased_until < statement_timestamp()
          and ($4::text[] is null or state = any($4))
        order by due_at limit $2 for update skip locked)
     update due_work as w
        set leased_until = clock_timestamp() + make_interval(secs => $3::float8 / 1000), attempts = w.attempts + 1
       from due where w.ctid = due.ctid
     returning w.kind, w.subject, w.tenant, w.state, w.attempts, w.traceparent`,
    [options.kind, options.limit, options.leaseMs, options.states ?? null],
  );
}

/**
 * Leases and does one kind of work until stopped, up to `batch` at once: whatever ends makes room for the next, so that
 * a slow one holds up no other. A failure is logged alone.
 */
export function startDueWork(options: {
  kind: string;
  database: Database;
  log: Log;
  batch: number;
  leaseMs: number;
  idleMs: number;
  /** Asked before every lease: how much may be under way at once, and of which states; zero pauses it. */
  gate?: () => { limit: number; states?: readonly string[] };
  perform: (work: DueWork) => Promise<void>;
}): Worker {
  const { kind, database, log } = options;
  const underWay = new Set<Promise<void>>();

  async function perform(work: DueWork): Promise<void> {
    await withContext(contextOfTrace(work.traceparent), async () => {
      try {
        await options.perform(work);
      } catch (error) {
        log.warn({ kind, subject: work.subject, err: error }, 'due work failed; it comes again when its lease ends');
      }
    });
  }

  const worker = startWorker({
    name: kind,
    idleMs: options.idleMs,
    log,
    async run() {
      const { limit, ...gate } = options.gate?.() ?? { limit: options.batch };
      const room = limit - underWay.size;
      if (room <= 0) return false;
      const leased = await lease(database.across, { kind, leaseMs: options.leaseMs, limit: room, ...gate });
      for (const work of leased) {
        const done = perform(work).then(() => {
          underWay.delete(done);
          worker.wake();
        });
        underWay.add(done);
      }
      return leased.length === room;
    },
  });
  return {
    wake: (inMs) => worker.wake(inMs),
    async stop() {
      await worker.stop();
      await Promise.all(underWay);
    },
  };
}
