import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Transaction } from './database.ts';
import { currentContext, traceIdOf, type CallContext } from './context.ts';
import { finish, lease, putOff, restate, schedule, startDueWork, type DueWork } from './due-work.ts';
import { createLog } from './log.ts';
import { shareTransactions } from './shared-transactions.ts';
import { createTestDatabase, type TestDatabase } from './test-support/database.ts';

let db: TestDatabase;
const log = createLog('chassis', 'silent');
const kind = 'chore';
beforeAll(async () => {
  db = await createTestDatabase('chassis', new URL('./test-support/migrations', import.meta.url));
});
beforeEach(() => db.query('delete from due_work'));
afterAll(() => db.close());

const inTransaction = <T>(work: (tx: Transaction) => T) => db.of('main').transaction(async (tx) => work(tx));
const add = (subject: string, inMs = 0, state = 'new') =>
  inTransaction((tx) => schedule(tx, { kind, subject, tenant: 'main', state, inMs }));
const take = (limit = 10, states?: string[]) =>
  lease(db.across, { kind, limit, leaseMs: 60_000, ...(states && { states }) });

describe('lease', () => {
  it('when work is leased, nobody else gets it before the lease ends, and never more than was asked for', async () => {
    for (let n = 0; n < 5; n++) await add(String(n));
    const both = await Promise.all([take(2), take(2)]);
    expect(new Set(both.flat().map((work) => work.subject)).size).toBe(4);
    expect(await take()).toHaveLength(1);
    expect(await take()).toEqual([]);
  });

  it('when whoever leased it is gone, it is due again once the lease has ended, and the count tells', async () => {
    await add('a');
    const brief = () => lease(db.across, { kind, limit: 1, leaseMs: 1_000 });
    expect(await brief()).toMatchObject([{ subject: 'a', attempts: 1 }]);
    expect(await brief()).toEqual([]);
    await vi.waitFor(async () => expect(await brief()).toMatchObject([{ attempts: 2 }]), 10_000);
  });

  it('when work is scheduled anew for its subject, the new one is due at its own time, whoever leased the old', async () => {
    await add('a');
    await take();
    await add('a', 60_000, 'later');
    expect(await take()).toEqual([]);
    await add('a', 0, 'now');
    expect(await take()).toMatchObject([{ state: 'now', attempts: 1 }]);
  });

  it('when one kind of work for a subject is done, another kind stays', async () => {
    await add('a');
    await inTransaction((tx) => schedule(tx, { kind: 'other', subject: 'a', tenant: 'main', state: 'new', inMs: 0 }));
    await inTransaction((tx) => finish(tx, { kind: 'other', subject: 'a' }));
    expect(await take()).toHaveLength(1);
  });

  it('when states are named, only work for these is leased', async () => {
    await add('a', 0, 'new');
    await add('b', 0, 'old');
    expect((await take(10, ['old'])).map((work) => work.subject)).toEqual(['b']);
  });

  it('when leased work is for another state from now on, it stays leased and counted, and only that state ends it', async () => {
    await add('a');
    const [work] = await take();
    if (!work) throw new Error('nothing leased');
    const now = await inTransaction((tx) => restate(tx, work, 'old'));
    expect(await take()).toEqual([]);
    await inTransaction((tx) => finish(tx, work));
    await inTransaction((tx) => putOff(tx, work, 0));
    expect(await take()).toEqual([]);
    await inTransaction((tx) => putOff(tx, now, 0));
    expect(await take()).toEqual([{ ...now, attempts: 2 }]);
  });
});

describe('startDueWork', () => {
  const start = (perform: (work: DueWork) => Promise<void>, more: object = {}) =>
    startDueWork({ kind, database: db, log, batch: 2, leaseMs: 60_000, idleMs: 60_000, perform, ...more });

  it('when one piece is slow, the others are done meanwhile, and stopping waits for it', async () => {
    const done: string[] = [];
    let release = () => {};
    const slow = new Promise<void>((resolve) => (release = resolve));
    for (const subject of ['slow', 'a', 'b', 'c']) await add(subject);
    const worker = start(async ({ subject }) => {
      if (subject === 'slow') await slow;
      done.push(subject);
    });
    await vi.waitFor(() => expect(done).toEqual(['a', 'b', 'c']), 10_000);
    const stopped = worker.stop();
    release();
    await stopped;
    expect(done).toContain('slow');
  });

  it('when two replicas work, they share it and each piece is done once', async () => {
    for (let n = 0; n < 30; n++) await add(String(n));
    const done: Record<string, string[]> = { one: [], two: [] };
    const both = Object.values(done).map((own) =>
      start(async ({ subject, state }) => {
        await inTransaction((tx) => finish(tx, { kind, subject, state }));
        own.push(subject);
      }),
    );
    const all = () => Object.values(done).flat();
    await vi.waitFor(() => expect(all()).toHaveLength(30), 10_000);
    await Promise.all(both.map((worker) => worker.stop()));
    expect(new Set(all()).size).toBe(30);
    expect(await db.query('select 1 from due_work')).toEqual([]);
  });

  it('when it is of several tenants, it is leased together, and each piece is done among its own tenant’s rows', async () => {
    const tenants = ['main', 'other', 'main', 'third'];
    for (const [n, tenant] of tenants.entries())
      await db
        .of(tenant)
        .transaction(async (tx) => schedule(tx, { kind, subject: `${n}`, tenant, state: 'new', inMs: 0 }));
    const share = shareTransactions(db, 10);
    const seen: string[] = [];
    const worker = start(
      (work) =>
        share(work, async (tx) => {
          const rows = await tx.query<{ tenant: string }>('select distinct tenant from due_work');
          seen.push(`${work.tenant} sees ${rows.map(({ tenant }) => tenant).join(', ')}`);
          finish(tx, work);
        }),
      { batch: 4 },
    );
    await vi.waitFor(() => expect(seen).toHaveLength(4), 10_000);
    await worker.stop();
    expect(seen.toSorted()).toEqual(['main sees main', 'main sees main', 'other sees other', 'third sees third']);
    expect(await db.query('select 1 from due_work')).toEqual([]);
  });

  it('when its gate is closed, nothing is leased until it is open', async () => {
    let [limit, asked] = [0, 0];
    const gate = () => {
      asked += 1;
      return { limit };
    };
    const done: string[] = [];
    await add('a');
    const worker = start(async ({ subject }) => void done.push(subject), { gate });
    worker.wake();
    await vi.waitFor(() => expect(asked).toBe(2), 10_000);
    expect(await db.query('select 1 from due_work where attempts > 0')).toEqual([]);
    limit = 1;
    worker.wake();
    await vi.waitFor(() => expect(done).toEqual(['a']), 10_000);
    await worker.stop();
  });

  it('when it is woken for a time, work that is due then is not left to the idle pause', async () => {
    const done: string[] = [];
    const worker = start(async ({ subject }) => void done.push(subject));
    await db.of('main').transaction(async (tx) => {
      schedule(tx, { kind, subject: 'a', tenant: 'main', state: 'new', inMs: 30 });
      tx.afterCommit(() => worker.wake(30));
    });
    await vi.waitFor(() => expect(done).toEqual(['a']), 10_000);
    await worker.stop();
  });

  it('when a piece is done, all it logs, calls and emits is of one trace of its own, without deadline or token', async () => {
    const seen: (CallContext | undefined)[] = [];
    await add('a');
    await add('b');
    const worker = start(async () => void seen.push(currentContext()));
    await vi.waitFor(() => expect(seen).toHaveLength(2), 10_000);
    await worker.stop();
    const traces = seen.map((context) => traceIdOf(context?.traceparent ?? ''));
    expect(traces.every((trace) => /^[0-9a-f]{32}$/.test(trace)) && traces[0] !== traces[1]).toBe(true);
    expect(seen[0]).toMatchObject({ deadline: undefined, authorization: undefined });
  });

  it('when a piece throws, the others are done all the same', async () => {
    const done: string[] = [];
    await add('bad');
    await add('good');
    const worker = start(async ({ subject }) => {
      if (subject === 'bad') throw new Error('no');
      done.push(subject);
    });
    await vi.waitFor(() => expect(done).toEqual(['good']), 10_000);
    await worker.stop();
  });
});
