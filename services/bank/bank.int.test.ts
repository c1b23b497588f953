import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { uuidv7 } from '../_chassis/uuid.ts';
import { amount, startBank, type Bank } from './test-bench.ts';

const slowMs = 2_000;
const lostMs = 2_000;
let bank: Bank;
beforeAll(async () => {
  bank = await startBank({ slowMs, lostMs });
});
afterAll(() => bank.close());

const containing = (text: string): unknown => expect.stringContaining(text);

describe('charge', () => {
  it('when the card bears it, it is captured once, however often and however concurrently it is asked', async () => {
    const key = uuidv7();
    const answers = await Promise.all(Array.from({ length: 20 }, () => bank.charge(key)));
    for (const answer of answers) {
      expect(answer).toEqual({ status: 200, body: { key, status: 'captured', amount } });
    }
    expect(await bank.entriesOf(key)).toEqual([['charge', 1_250]]);
  });

  it.each([
    ['tok_declined', 'insufficient funds'],
    ['tok_nobody_knows', 'unknown token'],
    ['constructor', 'unknown token'],
  ])('when the token is %s, the answer is a decline, for ever', async (token, reason) => {
    const key = uuidv7();
    for (const next of [token, token, 'tok_ok']) {
      const { status, body } = await bank.charge(key, next);
      expect({ status, ...body }).toMatchObject({ status: 'declined', reason });
      expect(status).toBe(200);
    }
    expect(await bank.entriesOf(key)).toEqual([]);
  });

  it('when the token is flaky, the first two requests for a key get 503, and then it is done', async () => {
    const key = uuidv7();
    const statuses = [];
    for (let n = 0; n < 4; n++) statuses.push((await bank.charge(key, 'tok_flaky')).status);
    expect(statuses).toEqual([503, 503, 200, 200]);
    expect(await bank.entriesOf(key)).toEqual([['charge', 1_250]]);
  });

  it('when the token is slow, it takes effect late, though nobody waits, and repeating does not put it off', async () => {
    const key = uuidv7();
    const startedAt = performance.now();
    await expect(bank.charge(key, 'tok_slow', 50)).rejects.toThrow();
    expect(await bank.statusOf(key)).toBe('none');
    expect((await bank.charge(key, 'tok_slow')).body.status).toBe('captured');
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(slowMs - 5);
    expect(performance.now() - startedAt).toBeLessThan(2 * slowMs);
    expect(await bank.entriesOf(key)).toEqual([['charge', 1_250]]);
  });

  it('when many slow charges wait, none holds a connection', async () => {
    const waiting = Array.from({ length: 12 }, () => bank.charge(uuidv7(), 'tok_slow'));
    await vi.waitFor(async () => {
      const rows = await bank.database.query(`select key from charges where state = 'none' and requests = 1`);
      expect(rows.length).toBeGreaterThanOrEqual(12);
    }, 10_000);
    const open = await bank.database.query(
      `select pid from pg_stat_activity where datname = current_database() and state like 'idle in transaction%'`,
    );
    expect(open).toEqual([]);
    for (const answer of await Promise.all(waiting)) expect(answer.body.status).toBe('captured');
  });

  it('when the answer is lost, the charge is there at once, a question by key says so, and the wait has an end', async () => {
    const key = uuidv7();
    const startedAt = performance.now();
    const lost = expect(bank.charge(key, 'tok_lost')).rejects.toThrow();
    await vi.waitFor(async () => expect(await bank.statusOf(key)).toBe('captured'), { timeout: 1_500, interval: 10 });
    await lost;
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(lostMs - 5);
    await expect(bank.charge(key, 'tok_lost', 50)).rejects.toThrow();
    expect(await bank.entriesOf(key)).toEqual([['charge', 1_250]]);
  });
});

describe('reverse', () => {
  it('when something was captured, it is refunded once', async () => {
    const key = uuidv7();
    await bank.charge(key);
    const answers = await Promise.all(Array.from({ length: 10 }, () => bank.reverse(key)));
    for (const { status, body } of answers) expect([status, body.status]).toEqual([200, 'refunded']);
    expect(await bank.statusOf(key)).toBe('refunded');
    expect((await bank.charge(key)).body.status).toBe('refunded');
    expect(await bank.entriesOf(key)).toEqual([
      ['charge', 1_250],
      ['refund', -1_250],
    ]);
  });

  it('when nothing was captured, the key is burnt: a charge that comes later is refused', async () => {
    const key = uuidv7();
    for (let n = 0; n < 2; n++) expect((await bank.reverse(key)).body.status).toBe('voided');
    const late = await bank.charge(key);
    expect(late.status).toBe(200);
    expect(late.body).toMatchObject({ status: 'voided', reason: containing('refused') });
    expect(await bank.entriesOf(key)).toEqual([]);
  });

  it('when a slow charge is still on its way, it is refused on arrival', async () => {
    const key = uuidv7();
    const slow = bank.charge(key, 'tok_slow');
    await vi.waitFor(async () => {
      expect(await bank.database.query('select 1 from charges where key = $1', [key])).toHaveLength(1);
    }, 10_000);
    expect((await bank.reverse(key)).body.status).toBe('voided');
    expect((await slow).body.status).toBe('voided');
    expect(await bank.entriesOf(key)).toEqual([]);
  });

  it('when charge and reversal come at once, what was taken was given back, in every order', async () => {
    for (let n = 0; n < 20; n++) {
      const key = uuidv7();
      const [charged, reversed] = await Promise.all([bank.charge(key), bank.reverse(key)]);
      const balance = await bank.entriesOf(key);
      if (reversed.body.status === 'voided') expect([charged.body.status, balance]).toEqual(['voided', []]);
      else expect(balance.map(([, moved]) => moved)).toEqual([1_250, -1_250]);
    }
  });

  it('when the charge was declined, it stays declined', async () => {
    const key = uuidv7();
    await bank.charge(key, 'tok_declined');
    expect((await bank.reverse(key)).body.status).toBe('declined');
  });
});
