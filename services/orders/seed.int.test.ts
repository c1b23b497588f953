import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../_chassis/test-support/database.ts';
import { findOrder, readEvents } from './store.ts';
import { applyEvent, type OrderRecord } from './record.ts';
import { seed } from './seed.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase('orders', new URL('./migrations', import.meta.url));
});
afterAll(() => database.close());

describe('seed', () => {
  it('when run twice, there is one order in each terminal state, and each is the fold of its events', async () => {
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    await seed(client);
    await seed(client);
    await client.end();
    const states = [];
    for (const id of ['1', '2', '3', '4', '5']) {
      const record = await findOrder(database, 'main', id);
      states.push(record?.state);
      expect((await readEvents(database, 'main', id)).reduce<OrderRecord | undefined>(applyEvent, undefined)).toEqual(
        record,
      );
    }
    expect(states).toEqual(['shipped', 'rejected', 'payment-failed', 'cancelled', 'shipped']);
    expect((await database.query(`select 1 from outbox`)).length).toBe(35);
  });
});
