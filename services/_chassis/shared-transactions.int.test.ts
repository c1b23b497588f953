import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { currentContext, contextOfTrace, traceIdOf, withContext } from './context.ts';
import { shareTransactions } from './shared-transactions.ts';
import { between, createTestDatabase, type TestDatabase } from './test-support/database.ts';

let db: TestDatabase;
let transactions = 0;
beforeAll(async () => {
  db = await createTestDatabase('chassis', new URL('./test-support/migrations', import.meta.url));
  await db.query('create table done (subject text primary key); grant all on done to chassis');
});
beforeEach(async () => {
  await db.query('truncate done');
  transactions = 0;
});
afterAll(() => db.close());

const counting = () =>
  between(db, (scope) => ({ transaction: (work) => ((transactions += 1), scope.transaction(work)) }));
const about = (subject: string, tenant = 'main') => ({ tenant, subject });
const done = async () =>
  (await db.query<{ subject: string }>('select subject from done order by 1')).map((row) => row.subject);

describe('shareTransactions', () => {
  it('when pieces come at once, they share a transaction in the order of their subjects, each with its own result', async () => {
    const share = shareTransactions(counting(), 10);
    const order: string[] = [];
    const pieces = ['c', 'a', 'b'].map((subject) =>
      share(about(subject), async (tx) => {
        order.push(subject);
        tx.write('insert into done values ($1)', [subject]);
        return subject.toUpperCase();
      }),
    );
    expect(await Promise.all(pieces)).toEqual(['C', 'A', 'B']);
    expect([order, transactions, await done()]).toEqual([['a', 'b', 'c'], 1, ['a', 'b', 'c']]);
  });

  it('when one of them fails, by itself or by what it writes, the others are done all the same', async () => {
    const share = shareTransactions(counting(), 10);
    const settled = await Promise.allSettled(
      ['a', 'thrown', 'b', 'written'].map((subject) =>
        share(about(subject), async (tx) => {
          tx.write('insert into done values ($1)', [subject]);
          if (subject === 'written') tx.write('select 1/0');
          if (subject === 'thrown') throw new Error('no');
        }),
      ),
    );
    expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'rejected']);
    expect(await done()).toEqual(['a', 'b']);
  });

  it('when they come from different calls, each runs in the context of its own', async () => {
    const share = shareTransactions(counting(), 10);
    const traces = ['1', '2'].map((n) => `00-${n.repeat(32)}-${n.repeat(16)}-01`);
    const seen = await Promise.all(
      traces.map((trace, n) =>
        withContext(contextOfTrace(trace), () =>
          share(about(String(n)), async () => traceIdOf(currentContext()?.traceparent ?? '')),
        ),
      ),
    );
    expect(seen).toEqual(['1'.repeat(32), '2'.repeat(32)]);
    expect(transactions).toBe(1);
  });
});
