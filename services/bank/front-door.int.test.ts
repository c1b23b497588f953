import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { uuidv7 } from '../_chassis/uuid.ts';
import { disappointedBy } from '../_e2e/expectations.ts';
import { seed } from './seed.ts';
import { between } from '../_chassis/test-support/database.ts';
import { amount, startBank, type Bank } from './test-bench.ts';

const settings = { slowMs: 60_000, lostMs: 60_000 };
let bank: Bank;
beforeAll(async () => {
  bank = await startBank(settings);
});
afterAll(() => bank.close());

describe('the front door', () => {
  it.each([
    ['POST', '/charges', 'not json'],
    ['POST', '/charges', '{}'],
    ['POST', '/charges', { key: 'a\u0000b', amount, token: 'tok_ok' }],
    ['POST', '/charges', { key: 'k', amount: { amount: 1.5, currency: 'EUR' }, token: 'tok_ok' }],
    ['POST', '/charges', { key: 'k', amount: { amount: -1, currency: 'EUR' }, token: 'tok_ok' }],
    ['POST', '/charges', { key: 'x'.repeat(20_000), amount, token: 'tok_ok' }],
    ['GET', '/charges/%E0%A4%A', undefined],
    ['GET', '/charges/a%00b', undefined],
  ])('when %s %s is unreadable, the answer is 400 and bare', async (verb, path, body) => {
    expect(await bank.ask(verb, path, body)).toEqual({ status: 400, body: { error: 'unreadable request' } });
  });

  it('when the path is unknown, the answer is 404', async () => {
    expect((await bank.ask('GET', '/')).status).toBe(404);
  });

  it('when the books are out of reach, the answer is 503 and nothing is decided', async () => {
    const key = uuidv7();
    const fails = () => Promise.reject(Object.assign(new Error('connection refused'), { code: 'ECONNREFUSED' }));
    const away = await startBank(
      settings,
      between(bank.database, () => ({ query: fails, transaction: fails })),
    );
    expect((await away.get(key)).status).toBe(503);
    await away.close();
    expect(await bank.statusOf(key)).toBe('none');
  });

  it('when the bank stops, requests that wait are let go and make no charge', async () => {
    const key = uuidv7();
    const other = await startBank(settings, bank.database);
    const open = ['tok_slow', 'tok_lost'].map((token) => other.charge(`${key}-${token}`, token));
    const ended = Promise.allSettled(open);
    await vi.waitFor(async () => {
      expect(await bank.database.query('select 1 from charges where key like $1', [`${key}%`])).toHaveLength(2);
    }, 10_000);
    await other.close();
    expect((await ended).map((result) => result.status)).toEqual(['rejected', 'rejected']);
    expect(await bank.statusOf(`${key}-tok_slow`)).toBe('none');
  });
});

describe('its contract', () => {
  it('when a consumer reads its answers, every one is as expected, and a broken one is found out', async () => {
    const keys = { captured: uuidv7(), declined: uuidv7(), voided: uuidv7(), refunded: uuidv7() };
    const made = [
      { name: 'bank.charge', value: (await bank.charge(keys.captured)).body },
      { name: 'bank.charge', value: (await bank.charge(keys.declined, 'tok_declined')).body },
      { name: 'bank.reverse', value: (await bank.reverse(keys.voided)).body },
      { name: 'bank.charge', value: (await bank.charge(keys.voided)).body },
      { name: 'bank.reverse', value: (await bank.reverse(keys.declined)).body },
      { name: 'bank.charge', value: (await bank.charge(keys.refunded)).body },
      { name: 'bank.reverse', value: (await bank.reverse(keys.refunded)).body },
      { name: 'bank.get', value: (await bank.get(uuidv7())).body },
    ];
    for (const key of Object.values(keys)) made.push({ name: 'bank.get', value: (await bank.get(key)).body });
    expect(await disappointedBy(made)).toEqual({ disappointments: [], unread: [] });

    const { status, ...renamed } = (await bank.get(keys.captured)).body;
    const broken = [{ name: 'bank.get', value: { ...renamed, state: status } }];
    expect((await disappointedBy(broken)).disappointments).toMatchObject([{ consumer: 'payments', what: 'bank.get' }]);
  });
});

describe('seed', () => {
  it('when it runs twice, the books are as after once, and every charge has its entries', async () => {
    const client = new pg.Client(bank.database.url);
    await client.connect();
    await seed(client);
    await seed(client);
    await client.end();
    const books = await bank.database.query(
      `select c.key, c.state, coalesce(sum(e.amount), 0)::int as balance from charges c left join entries e using (key)
        where length(c.key) = 1 group by c.key order by c.key`,
    );
    expect(books).toEqual([
      { key: '1', state: 'captured', balance: 58_700 },
      { key: '3', state: 'declined', balance: 0 },
      { key: '4', state: 'refunded', balance: 0 },
      { key: '5', state: 'captured', balance: 7_900 },
    ]);
  });
});
