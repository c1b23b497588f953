import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Transaction } from './database.ts';
import { once } from './idempotency.ts';
import { createTestDatabase, type TestDatabase } from './test-support/database.ts';
import { uuidv7 } from './uuid.ts';

let db: TestDatabase;
beforeAll(async () => {
  db = await createTestDatabase('chassis', new URL('./test-support/migrations', import.meta.url), 20);
  await db.query('create table deeds (key text not null); grant all on deeds to chassis');
});
afterAll(() => db.close());

const callWith = (own: Partial<{ tenant: string; caller: string; idempotencyKey: string }> = {}) => ({
  tenant: 'main',
  caller: '1',
  idempotencyKey: uuidv7(),
  ...own,
});
type Calling = ReturnType<typeof callWith>;

const deed = (call: Calling) => async (tx: Transaction) => {
  await tx.query('insert into deeds values ($1)', [call.idempotencyKey]);
  return { kind: 'done', id: uuidv7(), note: 'é "quoted" \u2028' };
};
const doOnce = (call: Calling, request: unknown = { a: 1 }, method = 'm') =>
  once(db, call, method, request, deed(call));
const deedsOf = async (call: Calling) =>
  (await db.query('select 1 from deeds where key = $1', [call.idempotencyKey])).length;
const keysOf = async (call: Calling) =>
  (await db.query('select 1 from idempotency_keys where key = $1', [call.idempotencyKey])).length;

describe('once', () => {
  it('when a key comes again, the answer is the first one byte for byte, and nothing is done', async () => {
    const call = callWith();
    const first = JSON.stringify(await doOnce(call));
    expect(JSON.stringify(await doOnce(call))).toBe(first);
    expect(await deedsOf(call)).toBe(1);
  });

  it('when a key comes with another request, or for another method, it is refused', async () => {
    const call = callWith();
    await doOnce(call);
    expect(await doOnce(call, { a: 2 })).toEqual({ kind: 'key-reused' });
    expect(await doOnce(call, { a: 1 }, 'other')).toEqual({ kind: 'key-reused' });
    expect(await deedsOf(call)).toBe(1);
  });

  it('when another caller or tenant uses the key, it is another key', async () => {
    const call = callWith();
    for (const own of [{}, { caller: '2' }, { tenant: 'other' }]) await doOnce({ ...call, ...own });
    expect(await deedsOf(call)).toBe(3);
    const seen = (tenant: string) =>
      db.of(tenant).query('select caller from idempotency_keys where key = $1', [call.idempotencyKey]);
    expect([await seen('other'), await seen('third')]).toEqual([[{ caller: '1' }], []]);
  });

  it('when tenant, caller and key only look alike in a row, they are different keys', async () => {
    const idempotencyKey = uuidv7();
    const alike = [
      callWith({ tenant: 'a', caller: 'b', idempotencyKey: `c${idempotencyKey}` }),
      callWith({ tenant: 'a', caller: 'bc', idempotencyKey }),
      callWith({ tenant: 'ab', caller: 'c', idempotencyKey }),
    ];
    const answers = await Promise.all(alike.map((call) => doOnce(call)));
    expect(answers.map((answer) => answer.kind)).toEqual(['done', 'done', 'done']);
  });

  it('when 20 come at once, one is done, and the others get its answer or are told to wait', async () => {
    const call = callWith();
    const answers = await Promise.all(Array.from({ length: 20 }, () => doOnce(call)));
    const done = new Set(answers.filter((answer) => answer.kind === 'done').map((answer) => JSON.stringify(answer)));
    expect(done.size).toBe(1);
    expect(answers.every((answer) => ['done', 'in-progress'].includes(answer.kind))).toBe(true);
    expect(await deedsOf(call)).toBe(1);
  });

  it('when the first ends while the second waits, the second gets its answer', async () => {
    const call = callWith();
    const begun = Promise.withResolvers<void>();
    const first = once(db, call, 'm', {}, async () => {
      begun.resolve();
      // A moment, as the answer of an attempt that its caller has given up.
      await delay(100);
      return { kind: 'done', id: uuidv7() };
    });
    await begun.promise;
    expect(await once(db, call, 'm', {}, deed(call))).toEqual(await first);
    expect(await deedsOf(call)).toBe(0);
  });

  it('when the first does not end, the second is told so', async () => {
    const call = callWith();
    const [begun, mayEnd] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const first = once(db, call, 'm', {}, async () => {
      begun.resolve();
      await mayEnd.promise;
      return { kind: 'done' };
    });
    await begun.promise;
    expect(await once(db, call, 'm', {}, deed(call))).toEqual({ kind: 'in-progress' });
    mayEnd.resolve();
    expect(await first).toEqual({ kind: 'done' });
    expect(await keysOf(call)).toBe(1);
  });

  it('when the work throws, neither deed nor key is kept, and the key can be used again', async () => {
    const call = callWith();
    const thrown = once(db, call, 'm', {}, async (tx) => {
      await deed(call)(tx);
      throw new Error('no');
    });
    await expect(thrown).rejects.toThrow('no');
    expect([await deedsOf(call), await keysOf(call)]).toEqual([0, 0]);
    expect((await doOnce(call)).kind).toBe('done');
  });

  it('when another transaction was first, the work is done again and the key kept once', async () => {
    const call = callWith();
    let tries = 0;
    const answer = await once(db, call, 'm', {}, async (tx) => {
      await deed(call)(tx);
      if (++tries < 3) throw Object.assign(new Error('conflict'), { code: '40001' });
      return { kind: 'done', tries };
    });
    expect(answer).toEqual({ kind: 'done', tries: 3 });
    expect([await deedsOf(call), await keysOf(call)]).toEqual([1, 1]);
  });

  it('when the answer is a "no" of the domain, it is kept like any other', async () => {
    const call = callWith();
    const no = async () => ({ kind: 'not-enough', available: 0 });
    await once(db, call, 'm', {}, no);
    expect(await once(db, call, 'm', {}, async () => ({ kind: 'done' }))).toEqual({ kind: 'not-enough', available: 0 });
  });
});
