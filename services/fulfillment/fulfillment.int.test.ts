import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { uuidv7 } from '../_chassis/uuid.ts';
import { disappointedBy } from '../_e2e/expectations.ts';
import { seed } from './seed.ts';
import { startBench, type Bench } from './test-bench.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterEach(async () => {
  await Promise.all([bench.one.stop(), bench.two.stop()]);
  expect(await bench.neglected()).toEqual([]);
});
afterAll(() => bench.close());

const inboxOf = (orderId: string) =>
  bench.database.query<{ status: string; attempts: number; cause: string | null }>(
    'select status, attempts, cause from inbox where subject = $1 order by received_at',
    [orderId],
  );
const containing = (text: string): unknown => expect.stringContaining(text);

describe('fulfillment.requests', () => {
  it('when a message comes again, even at the same time, nothing changes', async () => {
    const id = uuidv7();
    const [asked, taken] = [uuidv7(), uuidv7()];
    await Promise.all(Array.from({ length: 5 }, () => bench.request(id, asked)));
    await Promise.all(Array.from({ length: 5 }, () => bench.withdraw(id, taken)));
    expect(await inboxOf(id)).toHaveLength(2);
    expect(await bench.answersTo(id)).toEqual(['cancelled']);
  });

  it('when a message lacks what is needed, it is tried until its budget is spent and ends as a dead letter', async () => {
    const id = uuidv7();
    const poison = () => bench.deliver('shipment.requested', id, { lines: [] }, `poison-${id}`);
    expect([await poison(), await poison(), await poison()]).toEqual(['RETRY', 'RETRY', 'SUCCESS']);
    expect(await inboxOf(id)).toMatchObject([{ status: 'failed', attempts: 3, cause: containing('lines') }]);
    expect(await bench.stateOf(id)).toBeUndefined();
  });

  it('when another tenant names the order, it is refused and the order stays as it is', async () => {
    const id = uuidv7();
    await bench.request(id);
    for (let n = 0; n < 3; n++) await bench.request(id, `foreign-${id}`, 'other');
    expect((await inboxOf(id))[1]).toMatchObject({ status: 'failed', cause: containing('tenant') });
    expect(await bench.stateOf(id)).toBe('picking');
  });

  it('when the database is away, the message comes again and spends no budget', async () => {
    const id = uuidv7();
    const asked = uuidv7();
    bench.breakDatabase(true);
    for (let n = 0; n < 5; n++) expect(await bench.request(id, asked)).toBe('RETRY');
    bench.breakDatabase(false);
    expect(await bench.request(id, asked)).toBe('SUCCESS');
    expect(await inboxOf(id)).toMatchObject([{ status: 'handled', attempts: 0 }]);
  });

  it('when a message has no readable envelope, it is dropped', async () => {
    const wrong = { source: 'products', topic: 'fulfillment.requests', type: 't', subject: 's', data: {} };
    expect(await bench.one.service.deliver(wrong)).toBe('DROP');
  });
});

describe('the contract', () => {
  it('when the seed and every kind of answer are there, each consumer can read them, and a broken one is found out', async () => {
    const client = new pg.Client(bench.database.url);
    await client.connect();
    await seed(client);
    await seed(client);
    await client.end();
    expect(await Promise.all(['1', '2', '4', '5'].map((id) => bench.stateOf(id)))).toEqual([
      'dispatched',
      undefined,
      'cancelled',
      'dispatched',
    ]);
    expect(await Promise.all(['1', '4', '5'].map((id) => bench.parcelsOf(id)))).toEqual([1, 0, 1]);
    expect((await bench.database.query(`select id from inbox where id like 'seed-%'`)).length).toBe(4);
    expect((await bench.one.service.emitted()).filter((event) => event.id.startsWith('seed-'))).toHaveLength(3);

    const made = (await bench.one.service.emitted()).map(({ type, data }) => ({ name: type, value: data }));
    expect(new Set(made.map(({ name }) => name)).size).toBe(2);
    expect(await disappointedBy(made)).toEqual({ disappointments: [], unread: [] });
    const renamed = made.map(({ name, value }) => ({ name, value: { ...(value as object), orderId: undefined } }));
    expect((await disappointedBy(renamed)).disappointments.length).toBeGreaterThanOrEqual(renamed.length);
  });
});
