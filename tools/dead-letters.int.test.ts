import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { createCatchUp } from '../services/_chassis/catch-up.ts';
import { createConsumer, on } from '../services/_chassis/consumer.ts';
import { createLog } from '../services/_chassis/log.ts';
import { createMetrics } from '../services/_chassis/metrics.ts';
import { createTestDatabase, type TestDatabase } from '../services/_chassis/test-support/database.ts';
import type { Databases } from './audit/books.ts';
import { failedLetters, lookAgain, setBack } from './dead-letters.ts';

let database: TestDatabase;
let databases: Databases;
beforeAll(async () => {
  database = await createTestDatabase(
    'chassis',
    new URL('../services/_chassis/test-support/migrations', import.meta.url),
  );
  const { url } = database;
  databases = { orders: url, inventory: url, payments: url, fulfillment: url, products: url, bank: url };
});
afterAll(() => database.close());

it('when a failed event is set back, catch-up handles it, and it is no dead letter any more', async () => {
  let works = false;
  const log = createLog('test', 'silent');
  const metrics = createMetrics('test');
  const handle = on(z.object({}), async () => {
    if (!works) throw new Error('not yet');
  });
  const consumer = createConsumer({
    service: 'payments',
    database,
    log,
    metrics,
    subscriptions: [{ source: 'orders', topic: 'payments.requests', handlers: { asked: handle } }],
    budget: 1,
  });
  const event = { specversion: '1.0' as const, id: 'e1', source: 'urn:sidecart:orders', type: 'asked', subject: '1' };
  await consumer.handle({ ...event, tenant: 'main', time: '', topic: 'payments.requests', data: {} });

  const selection = { service: 'payments' as const };
  expect(await failedLetters(databases, { ...selection, id: 'another' })).toEqual([]);
  expect(await failedLetters(databases, selection)).toMatchObject([{ id: 'e1', attempts: 1, cause: 'not yet' }]);
  const letters = await setBack(databases, selection);
  expect(letters).toMatchObject([{ service: 'payments', id: 'e1', status: 'pending', attempts: 0 }]);

  works = true;
  await database.query(`update inbox set received_at = received_at - interval '2 seconds'`); // it is old by now
  const logs = { orders: { list: async () => [], read: async () => [] } };
  await createCatchUp({ consumer, database, logs, log, metrics, graceMs: 0 }).tick();
  expect(await lookAgain(databases, letters)).toMatchObject([{ id: 'e1', status: 'handled', cause: null }]);
  expect(await failedLetters(databases, selection)).toEqual([]);
});
