import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { uuidv7 } from '../_chassis/uuid.ts';
import { disappointedBy } from '../_e2e/expectations.ts';
import { seed } from './seed.ts';
import { startBench, type Bench } from './test-bench.ts';

// Without its worker: what the handlers alone do. worker.int.test.ts and crash.int.test.ts have the rest.
let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterEach(async () => {
  expect(await bench.neglected()).toEqual([]);
  expect(bench.calls).toEqual([]);
});
afterAll(() => bench.close());

const inboxOf = (orderId: string) =>
  bench.database.query<{ status: string; attempts: number; cause: string | null }>(
    'select status, attempts, cause from inbox where subject = $1 order by received_at',
    [orderId],
  );

const containing = (text: string): unknown => expect.stringContaining(text);

describe('payments.requests', () => {
  it('when a payment is requested, it is an intent, and nobody is told anything', async () => {
    const id = uuidv7();
    expect(await bench.request(id)).toBe('SUCCESS');
    expect(await bench.stateOf(id)).toBe('charging-unsent');
    expect(await bench.answersTo(id)).toEqual([]);
  });

  it('when a message comes again, even at the same time, nothing changes', async () => {
    const id = uuidv7();
    const [asked, taken] = [uuidv7(), uuidv7()];
    const deliveries = await Promise.all(Array.from({ length: 5 }, () => bench.request(id, 'tok_ok', asked)));
    expect(deliveries).toEqual(Array(5).fill('SUCCESS'));
    await Promise.all(Array.from({ length: 5 }, () => bench.withdraw(id, taken)));
    expect(await inboxOf(id)).toHaveLength(2);
    expect(await bench.answersTo(id)).toEqual(['reversed voided']);
  });

  it('when it is withdrawn before it was sent, it is voided and the bank is not asked', async () => {
    const id = uuidv7();
    await bench.request(id);
    await bench.withdraw(id);
    expect(await bench.stateOf(id)).toBe('voided');
    expect(await bench.answersTo(id)).toEqual(['reversed voided']);
  });

  it('when the withdrawal overtakes the request, a tombstone answers for both', async () => {
    const id = uuidv7();
    await bench.withdraw(id);
    expect(await bench.answersTo(id)).toEqual(['reversed voided']);
    expect(await bench.request(id)).toBe('SUCCESS');
    expect(await bench.stateOf(id)).toBe('voided');
    expect(await bench.answersTo(id)).toEqual(['reversed voided']);
  });

  it('when both come at the same time, there is one answer, whichever was first', async () => {
    const ids = Array.from({ length: 25 }, () => uuidv7());
    const both = (id: string) => [bench.withdraw(id), bench.request(id)];
    const deliveries = await Promise.all(ids.flatMap((id, n) => (n % 2 === 0 ? both(id) : both(id).reverse())));
    expect(new Set(deliveries)).toEqual(new Set(['SUCCESS']));
    for (const id of ids) {
      expect([await bench.stateOf(id), await bench.answersTo(id)]).toEqual(['voided', ['reversed voided']]);
    }
  });

  it('when a message lacks what is needed, it is tried until its budget is spent and ends as a dead letter', async () => {
    const id = uuidv7();
    const poison = () => bench.deliver('payment.requested', id, { paymentToken: 'tok_ok' }, `poison-${id}`);
    expect([await poison(), await poison(), await poison()]).toEqual(['RETRY', 'RETRY', 'SUCCESS']);
    const [row] = await inboxOf(id);
    expect(row).toMatchObject({ status: 'failed', attempts: 3, cause: containing('amount') });
    expect(await bench.stateOf(id)).toBeUndefined();
  });

  it('when a second request comes for the same order, it is impossible and ends as a dead letter', async () => {
    const id = uuidv7();
    await bench.request(id);
    for (let n = 0; n < 3; n++) await bench.request(id, 'tok_declined', `second-${id}`);
    const rows = await inboxOf(id);
    expect(rows[1]).toMatchObject({ status: 'failed', cause: containing('impossible') });
    expect(await bench.stateOf(id)).toBe('charging-unsent');
  });

  it("when another tenant names the order, it is refused and the order's payment stays as it is", async () => {
    const id = uuidv7();
    await bench.request(id);
    for (let n = 0; n < 3; n++) await bench.request(id, 'tok_ok', `foreign-${id}`, 'other');
    expect((await inboxOf(id))[1]).toMatchObject({ status: 'failed', cause: containing('tenant') });
    expect(await bench.database.query('select tenant from payments where order_id = $1', [id])).toEqual([
      { tenant: 'main' },
    ]);
  });

  it('when the database is away, the message comes again and spends no budget', async () => {
    const id = uuidv7();
    const asked = uuidv7();
    bench.breakDatabase(true);
    for (let n = 0; n < 5; n++) expect(await bench.request(id, 'tok_ok', asked)).toBe('RETRY');
    bench.breakDatabase(false);
    expect(await bench.request(id, 'tok_ok', asked)).toBe('SUCCESS');
    expect(await inboxOf(id)).toMatchObject([{ status: 'handled', attempts: 0 }]);
  });

  it('when a message has no readable envelope, it is dropped', async () => {
    const wrong = { source: 'products', topic: 'payments.requests', type: 't', subject: 's', data: {} };
    expect(await bench.service.deliver(wrong)).toBe('DROP');
  });
});

describe('seed', () => {
  it('when it runs twice, it is as after once, every message has its row, and consumers can read what was said', async () => {
    const client = new pg.Client(bench.database.url);
    await client.connect();
    await seed(client);
    await seed(client);
    await client.end();
    const ids = ['1', '3', '4', '5'];
    expect(await Promise.all(ids.map((id) => bench.stateOf(id)))).toEqual([
      'captured',
      'declined',
      'refunded',
      'captured',
    ]);
    expect(await Promise.all(ids.map((id) => bench.answersTo(id)))).toEqual([
      ['captured'],
      ['declined'],
      ['captured', 'reversed refunded'],
      ['captured'],
    ]);
    const heard = await bench.database.query(`select id from inbox where id like 'seed-%' order by id`);
    expect(heard.map(({ id }) => id as string)).toEqual(
      ['1', '3', '4', '4', '5'].map((id, n) => `seed-${id}-orders.payment.${n === 3 ? 'withdrawn' : 'requested'}`),
    );
    const said = (await bench.service.emitted()).filter((event) => event.id.startsWith('seed-'));
    const made = said.map(({ type, data }) => ({ name: type, value: data }));
    expect(await disappointedBy(made)).toEqual({ disappointments: [], unread: [] });
  });
});
