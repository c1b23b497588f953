import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Transaction } from './database.ts';
import { createEnvelope, type Envelope } from './envelope.ts';
import { DependencyError } from './errors.ts';
import { countFailed, finishedIn, handleOnce, pendingIn } from './inbox.ts';
import { createTestDatabase, type TestDatabase } from './test-support/database.ts';

let db: TestDatabase;
beforeAll(async () => {
  db = await createTestDatabase('chassis', new URL('./test-support/migrations', import.meta.url));
  await db.query('create table effects (id text not null); grant all on effects to chassis');
});
beforeEach(() => db.query('truncate effects, inbox'));
afterAll(() => db.close());

const makeEvent = (data: unknown = {}): Envelope =>
  createEnvelope('things', { type: 'x', topic: 'things.events', subject: '1', tenant: 'main', data });
const leaveEffect = async (tx: Transaction, event: Envelope) => {
  await tx.query('insert into effects values ($1)', [event.id]);
};
const effects = async () => (await db.query('select 1 from effects')).length;
const row = async ({ id }: Envelope) =>
  (await db.query('select status, attempts, cause, envelope from inbox where id = $1', [id]))[0];
const fail = async (tx: Transaction, event: Envelope) => {
  await leaveEffect(tx, event);
  throw new Error('cannot');
};
const resultOf = async (handling: ReturnType<typeof handleOnce>) => (await handling).result;

describe('handleOnce', () => {
  it('when an event comes again, also many times at once, its effects are there once', async () => {
    const event = makeEvent();
    const results = await Promise.all(Array.from({ length: 10 }, () => resultOf(handleOnce(db, event, leaveEffect))));
    expect(results.sort()).toEqual([...Array<string>(9).fill('duplicate'), 'handled']);
    expect(await resultOf(handleOnce(db, event, leaveEffect))).toBe('duplicate');
    expect(await effects()).toBe(1);
  });

  it('when two producers use the same id, they are two events', async () => {
    const event = makeEvent();
    for (const source of ['urn:sidecart:a', 'urn:sidecart:b']) await handleOnce(db, { ...event, source }, leaveEffect);
    expect(await effects()).toBe(2);
  });

  it('when the handler fails, its effects are gone, and the row tells why and how often', async () => {
    const event = makeEvent({ n: 1 });
    for (const attempts of [1, 2]) {
      expect(await handleOnce(db, event, fail)).toMatchObject({ result: 'retry', error: new Error('cannot') });
      expect(await row(event)).toEqual({ status: 'pending', attempts, cause: 'cannot', envelope: event });
    }
    expect(await effects()).toBe(0);
    expect(await finishedIn(db.across, event.source, [event.id])).toEqual(new Set());
  });

  it('when the budget is spent, the row is the dead letter, and nothing is tried again', async () => {
    const event = makeEvent();
    const results = [];
    for (let n = 0; n < 4; n++) results.push(await resultOf(handleOnce(db, event, fail, 3)));
    expect(results).toEqual(['retry', 'retry', 'dead', 'duplicate']);
    expect(await row(event)).toMatchObject({ status: 'failed', attempts: 3 });
    expect(await countFailed(db.across)).toBe(1);
    expect(await finishedIn(db.across, event.source, [event.id])).toEqual(new Set([event.id]));
  });

  it('when it succeeds after failures, the row keeps neither cause nor envelope', async () => {
    const event = makeEvent();
    await handleOnce(db, event, fail);
    expect(await resultOf(handleOnce(db, event, leaveEffect))).toBe('handled');
    expect(await row(event)).toEqual({ status: 'handled', attempts: 1, cause: null, envelope: null });
    expect(await effects()).toBe(1);
  });

  it.each([
    ['a part it depends on', () => new DependencyError('bank', 'unreachable')],
    ['the database', () => Object.assign(new Error('going down'), { code: '57P01' })],
    ['the connection', () => new Error('Connection terminated unexpectedly')],
    ['a lock of another', () => Object.assign(new Error('lock'), { code: '55P03' })],
  ])('when %s is away, the event is to come again and no budget is spent', async (_name, away) => {
    const event = makeEvent();
    const handle = () =>
      handleOnce(db, event, async (tx) => {
        await leaveEffect(tx, event);
        throw away();
      });
    expect(await resultOf(handle())).toBe('away');
    expect([await row(event), await effects()]).toEqual([undefined, 0]);
  });

  it('when a serialisation conflict passes, the handler is run again and nobody is told', async () => {
    const event = makeEvent();
    let tries = 0;
    const handle = async (tx: Transaction) => {
      await leaveEffect(tx, event);
      if (++tries < 3) throw Object.assign(new Error('conflict'), { code: '40001' });
    };
    expect(await resultOf(handleOnce(db, event, handle))).toBe('handled');
    expect([tries, await effects()]).toEqual([3, 1]);
  });

  it('when a second delivery comes while the first is failing, it handles the event, and the failure counts for nothing', async () => {
    const event = makeEvent();
    const [begun, mayFail] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const first = handleOnce(db, event, async () => {
      begun.resolve();
      await mayFail.promise;
      throw new Error('cannot');
    });
    await begun.promise;
    const second = handleOnce(db, event, leaveEffect);
    await untilSomebodyWaits();
    mayFail.resolve();
    expect(await resultOf(second)).toBe('handled');
    expect(['retry', 'duplicate']).toContain(await resultOf(first));
    expect(await row(event)).toMatchObject({ status: 'handled', cause: null });
    expect(await effects()).toBe(1);
  });

  it('when the cause holds what PostgreSQL cannot store, it is a dead letter all the same', async () => {
    const event = makeEvent({ text: 'a\0b' });
    const results = [];
    const handle = async () => Promise.reject(new Error('there is no order a\0b'));
    for (let n = 0; n < 2; n++) results.push(await resultOf(handleOnce(db, event, handle, 2)));
    expect(results).toEqual(['retry', 'dead']);
    expect(await row(event)).toMatchObject({ status: 'failed', cause: 'there is no order a\uFFFDb' });
  });
});

describe('pendingIn', () => {
  it('when events failed with budget left, they are given after a second, oldest first; others never', async () => {
    const [young, old, older, handled, dead] = Array.from({ length: 5 }, () => makeEvent());
    if (!young || !old || !older || !handled || !dead) throw new Error('five were made');
    for (const event of [young, older, old]) await handleOnce(db, event, fail);
    await handleOnce(db, dead, fail, 1);
    await handleOnce(db, handled, leaveEffect);
    await db.query(`update inbox set received_at = 'epoch' where id <> $1`, [young.id]);
    await db.query(`update inbox set received_at = '-infinity' where id = $1`, [older.id]);
    await vi.waitFor(async () => {
      await db.query('update inbox set received_at = clock_timestamp() where id = $1', [young.id]);
      expect(await pendingIn(db.across, 10)).toEqual([older, old]);
    }, 10_000);
    expect(await pendingIn(db.across, 1)).toEqual([older]);
  });
});

/** Waits until a statement of this database waits for a lock. */
async function untilSomebodyWaits(): Promise<void> {
  for (;;) {
    const waiting = await db.query(
      `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    );
    if (waiting.length > 0) return;
  }
}
