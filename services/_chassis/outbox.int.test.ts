import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { listEvents } from './contract.ts';
import type { Queryable } from './database.ts';
import { listOutbox, readOutbox, unlistedSeconds } from './outbox.ts';
import { createTestDatabase, untilListable, type TestDatabase } from './test-support/database.ts';

const data = z.object({ n: z.number(), text: z.string() });
const Happened = { type: 'com.sidecart.t.thing.happened.v1', topic: 't.events', data };
const Elsewhere = { ...Happened, topic: 'u.events' };

let db: TestDatabase;
beforeAll(async () => {
  db = await createTestDatabase('chassis', new URL('./test-support/migrations', import.meta.url));
});
beforeEach(() => db.query('truncate outbox'));
afterAll(() => db.close());

const emit = (event: typeof Happened, ...numbers: number[]) =>
  db.of('main').transaction(async (tx) => {
    for (const n of numbers)
      tx.emit(event, { subject: String(n), tenant: 'main', data: { n, text: 'é \u2028 "x" \\' } });
  });
const list = async (after = '0:0', limit = 100) => {
  await untilListable(db);
  return listOutbox(db.across, { topic: 't.events', after, limit });
};
const numbersOf = async (ids: readonly string[]) =>
  (await readOutbox(db.across, ids)).map((text) => z.object({ data }).parse(JSON.parse(text)).data.n);

describe('the outbox', () => {
  it('when transactions commit, their events are listed in that order, each topic for itself', async () => {
    await emit(Happened, 0, 1);
    await emit(Elsewhere, 9);
    await emit(Happened, 2);
    const events = await list();
    expect(await numbersOf(events.map((event) => event.id))).toEqual([0, 1, 2]);
    expect(events.every((event) => event.ageMs >= 0 && event.ageMs < 60_000)).toBe(true);
  });

  it('when read page by page from each cursor on, every event comes once', async () => {
    for (let n = 0; n < 7; n++) await emit(Happened, n, n + 0.5);
    const seen: string[] = [];
    let after = '0:0';
    for (;;) {
      const page = await list(after, 3);
      seen.push(...page.map((event) => event.id));
      after = page.at(-1)?.cursor ?? after;
      if (page.length < 3) break;
    }
    expect(seen).toEqual((await list()).map((event) => event.id));
    expect([seen.length, new Set(seen).size]).toEqual([14, 14]);
  });

  it('when the log is long, a page of it is read by its index, whoever may see what', async () => {
    await db.query(
      `insert into outbox (id, tenant, topic, type, subject, envelope)
       select n::text, 'main', 't.events', 't', n::text, '{}' from generate_series(1, 50000) as n; analyze outbox`,
    );
    const explain: Queryable = { query: (sql, values) => db.across.query(`explain ${sql}`, values) };
    const plan = JSON.stringify(await listOutbox(explain, { topic: 't.events', after: '0:0', limit: 500 }));
    expect(plan).toContain('Index Scan using outbox_by_cursor');
    expect(plan).not.toContain('Sort');
  });

  it('when an event is read, it is as it was emitted; ids that are not there are passed over', async () => {
    await emit(Happened, 1);
    const [event] = await list();
    const texts = await readOutbox(db.across, ['none', event?.id ?? '']);
    expect(texts).toHaveLength(1);
    expect(JSON.parse(texts[0] ?? '')).toMatchObject({
      id: event?.id,
      source: 'urn:sidecart:chassis',
      subject: '1',
      tenant: 'main',
      data: { n: 1, text: 'é \u2028 "x" \\' },
    });
  });

  it('when a transaction throws, nothing is listed', async () => {
    const thrown = db.of('main').transaction(async (tx) => {
      tx.emit(Happened, { subject: 'x', tenant: 'main', data: { n: 9, text: '' } });
      throw new Error('no');
    });
    await expect(thrown).rejects.toThrow('no');
    expect(await list()).toEqual([]);
  });

  it('when an older transaction is open anywhere, what is written meanwhile cannot be listed, and its age tells', async () => {
    const [begun, mayEnd] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const open = db.of('main').transaction(async (tx) => {
      await tx.query('select pg_current_xact_id()');
      begun.resolve();
      await mayEnd.promise;
    });
    await begun.promise;
    await emit(Happened, 1);
    const [listed, waiting, elsewhere] = await Promise.all([
      listOutbox(db.across, { topic: 't.events', after: '0:0', limit: 1 }),
      unlistedSeconds(db.across, ['t.events', 'u.events']),
      unlistedSeconds(db.across, ['u.events']),
    ]).finally(() => mayEnd.resolve());
    await open;
    expect([listed, waiting > 0, elsewhere]).toEqual([[], true, 0]);
    expect(await list()).toHaveLength(1);
    expect(await unlistedSeconds(db.across, ['t.events'])).toBe(0);
  });

  it('when a cursor is none of ours, it is refused before it reaches the database', async () => {
    const allowed = (after: string) => listEvents.request.safeParse({ topic: 't', after, limit: 1 }).success;
    for (const after of ['', '1', '1:', ':1', '-1:0', '1:2:3', '1;2', `${'9'.repeat(30)}:0`, `0:${'9'.repeat(30)}`])
      expect([after, allowed(after)]).toEqual([after, false]);
    for (const after of ['0:0', `${'9'.repeat(19)}:${'9'.repeat(18)}`]) {
      expect(allowed(after)).toBe(true);
      expect(await list(after)).toEqual([]);
    }
  });
});
