import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { once } from './idempotency.ts';
import { listOutbox, readOutbox } from './outbox.ts';
import { createTestDatabase, untilListable, type TestDatabase } from './test-support/database.ts';

const Happened = { type: 'com.sidecart.t.thing.happened.v1', topic: 't.events', data: z.object({ n: z.number() }) };
let db: TestDatabase;
beforeAll(async () => {
  db = await createTestDatabase('chassis', new URL('./test-support/migrations', import.meta.url));
});
afterAll(() => db.close());

const emit = (n: number) =>
  db.transaction(async (tx) => tx.emit(Happened, { subject: String(n), tenant: 'main', data: { n } }));

describe('outbox', () => {
  it('when a transaction commits, its events are listed in order and can be read', async () => {
    for (let n = 0; n < 5; n++) await emit(n);
    await untilListable(db);
    const events = await listOutbox(db, { topic: 't.events', after: '0:0', limit: 100 });
    const texts = await readOutbox(
      db,
      events.map((e) => e.id),
    );
    expect(texts.map((t) => (JSON.parse(t) as { data: { n: number } }).data.n)).toEqual([0, 1, 2, 3, 4]);
  });
  it('when a transaction throws, nothing is listed', async () => {
    await untilListable(db);
    const before = await listOutbox(db, { topic: 't.events', after: '0:0', limit: 100 });
    await expect(
      db.transaction(async (tx) => {
        tx.emit(Happened, { subject: 'x', tenant: 'main', data: { n: 9 } });
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
    expect(await listOutbox(db, { topic: 't.events', after: '0:0', limit: 100 })).toHaveLength(before.length);
  });
});

describe('once', () => {
  const call = { tenant: 'main', caller: '1', idempotencyKey: 'k1' };
  it('when a key comes again, the answer is the recorded one; with another request it is refused', async () => {
    let ran = 0;
    const work = async () => ({ kind: 'done', n: ++ran });
    const first = await once(db, call, 'm', { a: 1 }, work);
    expect(await once(db, call, 'm', { a: 1 }, work)).toEqual(first);
    expect(await once(db, call, 'm', { a: 2 }, work)).toEqual({ kind: 'key-reused' });
    expect(ran).toBe(1);
  });
});
