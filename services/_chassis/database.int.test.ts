import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Queryable } from './database.ts';
import type { Envelope } from './envelope.ts';
import { isTransient } from './errors.ts';
import { createTestDatabase, type TestDatabase } from './test-support/database.ts';

const Happened = { type: 'com.sidecart.t.thing.happened.v1', topic: 't.events', data: z.object({ n: z.number() }) };
const about = (subject: string) => ({ subject, tenant: 'main', data: { n: 1 } });

let db: TestDatabase;
const committed: string[] = [];
beforeAll(async () => {
  db = await createTestDatabase('chassis', new URL('./test-support/migrations', import.meta.url));
  db.onCommitted((events: Envelope[]) => committed.push(...events.map((event) => event.subject)));
  await db.query('create table counters (id text primary key, n integer not null)');
  await db.query(`insert into counters values ('a', 0), ('b', 0); grant all on counters to chassis`);
});
afterAll(() => db.close());

const count = async (id: string) => (await db.query<{ n: number }>('select n from counters where id = $1', [id]))[0]?.n;
const add = (id: string) => `update counters set n = n + 1 where id = '${id}'`;

describe('of', () => {
  const tenants = async (on: Queryable) => on.query(`select tenant from outbox where type = 't' order by 1`);
  const note = (tenant: string) =>
    [
      `insert into outbox (id, tenant, topic, type, subject, envelope) values ($1, $2, '', 't', '', '{}')`,
      [tenant, tenant],
    ] as const;

  it('when a tenant is named, his rows are there and no other’s, statement by statement and in transactions', async () => {
    for (const tenant of ['a', `b'; select 'x`, 'ü']) await db.of(tenant).query(...note(tenant));
    for (const tenant of ['a', `b'; select 'x`, 'ü']) {
      expect(await tenants(db.of(tenant))).toEqual([{ tenant }]);
      expect(await db.of(tenant).transaction(tenants)).toEqual([{ tenant }]);
    }
    expect(await tenants(db.of('nobody'))).toEqual([]);
    expect(await tenants(db.across)).toHaveLength(3);
  });

  it('when many tenants share few connections, none sees what another has left', async () => {
    const asked = Array.from({ length: 60 }, (_, n) => (n % 2 === 0 ? 'a' : 'ü'));
    const seen = await Promise.all(asked.map((tenant) => tenants(db.of(tenant))));
    expect(seen).toEqual(asked.map((tenant) => [{ tenant }]));
  });

  it('when a row is of another tenant, it cannot be added, alone or in a transaction', async () => {
    await expect(db.of('a').query(...note('c'))).rejects.toMatchObject({ code: '42501' });
    await expect(db.of('a').transaction(async (tx) => tx.write(...note('c')))).rejects.toMatchObject({ code: '42501' });
    await expect(db.across.query(...note('c'))).rejects.toMatchObject({ code: '42501' });
    expect(await tenants(db.across)).toHaveLength(3);
  });

  it('when a part of a transaction is another tenant’s, it sees and says what is his, and the rest what is its own', async () => {
    await db.of('w').transaction(async (tx) => {
      await tx.within('v', async () => tx.write(...note('v')));
      expect(await tx.within('v', () => tenants(tx))).toEqual([{ tenant: 'v' }]);
      expect(await tenants(tx)).toEqual([]);
      for (const tenant of ['v', 'w']) tx.emit(Happened, { ...about('within'), tenant });
      tx.write(...note('w'));
    });
    for (const tenant of ['v', 'w'])
      expect(await db.of(tenant).query('select tenant from outbox order by 1')).toEqual([{ tenant }, { tenant }]);
    const lost = db.of('w').transaction((tx) =>
      tx.within('v', async () => {
        await tx.query('select 1 / 0');
      }),
    );
    await expect(lost).rejects.toMatchObject({ code: '22012' });
    await expect(db.of('w').transaction((tx) => tx.within('*', async () => undefined))).rejects.toThrow('no tenant');
  });

  it('when a statement alone fails, it says why, and its connection goes on', async () => {
    await expect(db.of('a').query('select 1/0')).rejects.toMatchObject({ code: '22012' });
    expect(await tenants(db.of('a'))).toEqual([{ tenant: 'a' }]);
  });

  it.each(['', '*'])('when it is asked for %j, which no tenant is called, it throws', (tenant) => {
    expect(() => db.of(tenant)).toThrow('is no tenant');
  });
});

describe('transaction', () => {
  it('when it commits, state and events are there, and only then the relay hears of them', async () => {
    await db.of('main').transaction(async (tx) => {
      await tx.query(add('a'));
      tx.emit(Happened, about('kept'));
      expect(committed).not.toContain('kept');
    });
    expect(await count('a')).toBe(1);
    expect(committed).toContain('kept');
  });

  it('when a statement failed and the work went on all the same, it throws: nothing of it was kept', async () => {
    const swallowed = db.of('main').transaction(async (tx) => {
      await tx.query(add('b'));
      await tx.query('select 1/0').catch(() => undefined);
      return 'as if it were done';
    });
    await expect(swallowed).rejects.toThrow();
    expect(await count('b')).toBe(0);
  });

  it('when a write that nobody waits for fails, the commit fails with its cause, whatever came after it', async () => {
    const failing = db.of('main').transaction(async (tx) => {
      tx.write(add('b'));
      tx.write('select 1/0');
      await tx.query(add('b')).catch(() => undefined);
      tx.emit(Happened, about('after a failed write'));
    });
    await expect(failing).rejects.toMatchObject({ code: '22012' });
    expect([await count('b'), committed.includes('after a failed write')]).toEqual([0, false]);
  });

  it('when the data of an event is not of its shape, nothing is kept', async () => {
    const emitted = db.of('main').transaction(async (tx) => {
      await tx.query(add('b'));
      tx.emit(Happened, { ...about('bad'), data: { n: 'one' as never } });
    });
    await expect(emitted).rejects.toThrow();
    expect([await count('b'), committed.includes('bad')]).toEqual([0, false]);
  });

  it('when two lock in opposite order, one is done again and both get through', async () => {
    const met = Promise.withResolvers<void>();
    let waiting = 0;
    const both = (first: string, second: string) => {
      let tries = 0;
      return db.of('main').transaction(async (tx) => {
        tries += 1;
        await tx.query(add(first));
        if (tries === 1) {
          if (++waiting === 2) met.resolve();
          await met.promise;
        }
        await tx.query(add(second));
        tx.emit(Happened, about(`${first}${second}`));
        return tries;
      });
    };
    const before = [await count('a'), await count('b')].map(Number);
    const tries = await Promise.all([both('a', 'b'), both('b', 'a')]);
    expect(tries.sort()).toEqual([1, 2]);
    expect([await count('a'), await count('b')]).toEqual(before.map((n) => n + 2));
    expect(committed.filter((subject) => ['ab', 'ba'].includes(subject))).toHaveLength(2);
  });

  it('when a conflict never ends, it gives up with an error that is nobody’s fault', async () => {
    let tries = 0;
    const never = db.of('main').transaction(async (tx) => {
      tries += 1;
      await tx.query(`insert into counters values ('a', 0)`);
    });
    const error: unknown = await never.catch((thrown: unknown) => thrown);
    expect(tries).toBeGreaterThan(1);
    expect(tries).toBeLessThanOrEqual(8);
    expect(isTransient(error)).toBe(true);
  });

  it('when somebody holds a row for long, it gives up before the sidecar sends the event again', async () => {
    const [held, mayEnd] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const holder = db.of('main').transaction(async (tx) => {
      await tx.query(add('a'));
      held.resolve();
      await mayEnd.promise;
    });
    await held.promise;
    let tries = 0;
    const waiting = db.of('main').transaction(async (tx) => {
      tries += 1;
      await tx.query(`set local lock_timeout = '700ms'`);
      await tx.query(add('a'));
    });
    const error: unknown = await waiting.catch((thrown: unknown) => thrown);
    mayEnd.resolve();
    await holder;
    expect(error).toMatchObject({ code: '55P03' });
    expect(tries).toBeLessThanOrEqual(3);
  });

  it('when more want a connection than there are, they take turns', async () => {
    const before = Number(await count('a'));
    await Promise.all(Array.from({ length: 40 }, () => db.of('main').transaction((tx) => tx.query(add('a')))));
    expect(await count('a')).toBe(before + 40);
  });

  it('when it commits, what was to follow is done once; when it throws, not at all', async () => {
    const followed: string[] = [];
    await db.of('main').transaction(async (tx) => tx.afterCommit(() => followed.push('kept')));
    const thrown = db.of('main').transaction(async (tx) => {
      tx.afterCommit(() => followed.push('lost'));
      throw new Error('no');
    });
    await expect(thrown).rejects.toThrow('no');
    expect(followed).toEqual(['kept']);
  });

  it('when its connection is lost, it throws and the process goes on', async () => {
    const cut = db.of('main').transaction(async (tx) => {
      const [row] = await tx.query<{ pid: number }>('select pg_backend_pid() as pid');
      await db.query('select pg_terminate_backend($1)', [row?.pid]);
      await delay(20);
      await tx.query('select 1');
    });
    await expect(cut).rejects.toThrow();
    expect(await db.query('select 1 as one')).toEqual([{ one: 1 }]);
  });
});
