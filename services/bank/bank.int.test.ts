import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createLog } from '../_chassis/log.ts';
import { createMetrics } from '../_chassis/metrics.ts';
import { listenHttp, type Listening } from '../_chassis/service.ts';
import { createTestDatabase, type TestDatabase } from '../_chassis/test-support/database.ts';
import { uuidv7 } from '../_chassis/uuid.ts';
import { disappointedBy } from '../_e2e/expectations.ts';
import { buildApp } from './app.ts';
import { seed } from './seed.ts';
import pg from 'pg';

const slowMs = 300;
const lostMs = 400;
const amount = { amount: 1_250, currency: 'EUR' };
const stopping = new AbortController();
let database: TestDatabase;
let listening: Listening;

beforeAll(async () => {
  database = await createTestDatabase('bank', new URL('./migrations', import.meta.url), 4);
  const deps = {
    database,
    log: createLog('bank', 'silent'),
    metrics: createMetrics('bank'),
    stopping: stopping.signal,
  };
  listening = await listenHttp(buildApp(deps, { slowMs, lostMs }), 0);
});
afterAll(async () => {
  await listening.close();
  await database.close();
});

async function ask(verb: string, path: string, body?: unknown, timeoutMs = 10_000) {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const response = await fetch(`http://127.0.0.1:${listening.port}${path}`, {
    method: verb,
    signal: AbortSignal.timeout(timeoutMs),
    ...(body !== undefined && { body: text, headers: { 'content-type': 'application/json' } }),
  });
  return { status: response.status, body: (await response.json()) as { status?: string; reason?: string } };
}
const charge = (key: string, token = 'tok_ok', timeoutMs?: number) =>
  ask('POST', '/charges', { key, amount, token }, timeoutMs);
const get = (key: string) => ask('GET', `/charges/${key}`);
const reverse = (key: string) => ask('POST', `/charges/${key}/reversal`);
const statusOf = async (key: string) => (await get(key)).body.status;
const balanceOf = async (key: string) => {
  const rows = await database.query<{ kind: string; amount: string }>(
    'select kind, amount from entries where key = $1 order by id',
    [key],
  );
  return rows.map((row) => [row.kind, Number(row.amount)]);
};

const containing = (text: string): unknown => expect.stringContaining(text);

describe('charge', () => {
  it('when the card bears it, it is captured once, however often and however concurrently it is asked', async () => {
    const key = uuidv7();
    const answers = await Promise.all(Array.from({ length: 20 }, () => charge(key)));
    for (const answer of answers) {
      expect(answer).toEqual({ status: 200, body: { key, status: 'captured', amount } });
    }
    expect(await balanceOf(key)).toEqual([['charge', 1_250]]);
  });

  it.each([
    ['tok_declined', 'insufficient funds'],
    ['tok_nobody_knows', 'unknown token'],
    ['constructor', 'unknown token'],
  ])('when the token is %s, the answer is a decline, for ever', async (token, reason) => {
    const key = uuidv7();
    for (const next of [token, token, 'tok_ok']) {
      const { status, body } = await charge(key, next);
      expect({ status, ...body }).toMatchObject({ status: 'declined', reason });
      expect(status).toBe(200);
    }
    expect(await balanceOf(key)).toEqual([]);
  });

  it('when the token is flaky, the first two requests for a key get 503, and then it is done', async () => {
    const key = uuidv7();
    const statuses = [];
    for (let n = 0; n < 4; n++) statuses.push((await charge(key, 'tok_flaky')).status);
    expect(statuses).toEqual([503, 503, 200, 200]);
    expect(await balanceOf(key)).toEqual([['charge', 1_250]]);
  });

  it('when the token is slow, it takes effect late, though nobody waits, and repeating does not put it off', async () => {
    const key = uuidv7();
    const startedAt = performance.now();
    await expect(charge(key, 'tok_slow', 50)).rejects.toThrow();
    expect(await statusOf(key)).toBe('none');
    expect((await charge(key, 'tok_slow')).body.status).toBe('captured');
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(slowMs - 5);
    expect(performance.now() - startedAt).toBeLessThan(2 * slowMs);
    expect(await balanceOf(key)).toEqual([['charge', 1_250]]);
  });

  it('when many slow charges wait, none holds a connection', async () => {
    const waiting = Array.from({ length: 12 }, () => charge(uuidv7(), 'tok_slow'));
    await vi.waitFor(async () => {
      const rows = await database.query(`select key from charges where state = 'none' and requests = 1`);
      expect(rows.length).toBeGreaterThanOrEqual(12);
    });
    const open = await database.query(
      `select pid from pg_stat_activity where datname = current_database() and state like 'idle in transaction%'`,
    );
    expect(open).toEqual([]);
    for (const answer of await Promise.all(waiting)) expect(answer.body.status).toBe('captured');
  });

  it('when the answer is lost, the charge is there at once, a question by key says so, and the wait has an end', async () => {
    const key = uuidv7();
    const startedAt = performance.now();
    const lost = expect(charge(key, 'tok_lost')).rejects.toThrow();
    await vi.waitFor(async () => expect(await statusOf(key)).toBe('captured'), { timeout: 200, interval: 10 });
    await lost;
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(lostMs - 5);
    await expect(charge(key, 'tok_lost', 50)).rejects.toThrow();
    expect(await balanceOf(key)).toEqual([['charge', 1_250]]);
  });
});

describe('reverse', () => {
  it('when something was captured, it is refunded once', async () => {
    const key = uuidv7();
    await charge(key);
    const answers = await Promise.all(Array.from({ length: 10 }, () => reverse(key)));
    for (const { status, body } of answers) expect([status, body.status]).toEqual([200, 'refunded']);
    expect(await statusOf(key)).toBe('refunded');
    expect((await charge(key)).body.status).toBe('refunded');
    expect(await balanceOf(key)).toEqual([
      ['charge', 1_250],
      ['refund', -1_250],
    ]);
  });

  it('when nothing was captured, the key is burnt: a charge that comes later is refused', async () => {
    const key = uuidv7();
    for (let n = 0; n < 2; n++) expect((await reverse(key)).body.status).toBe('voided');
    const late = await charge(key);
    expect(late.status).toBe(200);
    expect(late.body).toMatchObject({ status: 'voided', reason: containing('refused') });
    expect(await balanceOf(key)).toEqual([]);
  });

  it('when a slow charge is still on its way, it is refused on arrival', async () => {
    const key = uuidv7();
    const slow = charge(key, 'tok_slow');
    await vi.waitFor(async () => {
      expect(await database.query('select 1 from charges where key = $1', [key])).toHaveLength(1);
    });
    expect((await reverse(key)).body.status).toBe('voided');
    expect((await slow).body.status).toBe('voided');
    expect(await balanceOf(key)).toEqual([]);
  });

  it('when charge and reversal come at once, what was taken was given back, in every order', async () => {
    for (let n = 0; n < 20; n++) {
      const key = uuidv7();
      const [charged, reversed] = await Promise.all([charge(key), reverse(key)]);
      const balance = await balanceOf(key);
      if (reversed.body.status === 'voided') expect([charged.body.status, balance]).toEqual(['voided', []]);
      else expect(balance.map(([, moved]) => moved)).toEqual([1_250, -1_250]);
    }
  });

  it('when the charge was declined, it stays declined', async () => {
    const key = uuidv7();
    await charge(key, 'tok_declined');
    expect((await reverse(key)).body.status).toBe('declined');
  });
});

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
    expect(await ask(verb, path, body)).toEqual({ status: 400, body: { error: 'unreadable request' } });
  });

  it('when the path is unknown, the answer is 404', async () => {
    expect((await ask('GET', '/')).status).toBe(404);
  });

  it('when the books are out of reach, the answer is 503 and nothing is decided', async () => {
    const key = uuidv7();
    const fails = () => Promise.reject(Object.assign(new Error('connection refused'), { code: 'ECONNREFUSED' }));
    const away = { ...database, query: fails, transaction: fails };
    const log = createLog('bank', 'silent');
    const deps = { database: away, log, metrics: createMetrics('bank'), stopping: stopping.signal };
    const broken = await listenHttp(buildApp(deps, { slowMs, lostMs }), 0);
    const response = await fetch(`http://127.0.0.1:${broken.port}/charges/${key}`);
    await response.text();
    await broken.close();
    expect(response.status).toBe(503);
    expect(await statusOf(key)).toBe('none');
  });

  it('when the bank stops, requests that wait are let go and make no charge', async () => {
    const key = uuidv7();
    const own = new AbortController();
    const log = createLog('bank', 'silent');
    const deps = { database, log, metrics: createMetrics('bank'), stopping: own.signal };
    const door = await listenHttp(buildApp(deps, { slowMs: 60_000, lostMs: 60_000 }), 0);
    const open = ['tok_slow', 'tok_lost'].map((token) =>
      fetch(`http://127.0.0.1:${door.port}/charges`, {
        method: 'POST',
        body: JSON.stringify({ key: `${key}-${token}`, amount, token }),
      }),
    );
    const ended = Promise.allSettled(open);
    await vi.waitFor(async () => {
      expect(await database.query('select 1 from charges where key like $1', [`${key}%`])).toHaveLength(2);
    });
    own.abort();
    await door.close();
    expect((await ended).map((result) => result.status)).toEqual(['rejected', 'rejected']);
    expect(await statusOf(`${key}-tok_slow`)).toBe('none');
  });
});

describe('its contract', () => {
  it('when a consumer reads its answers, every one is as expected, and a broken one is found out', async () => {
    const keys = { captured: uuidv7(), declined: uuidv7(), voided: uuidv7(), refunded: uuidv7() };
    const made = [
      { name: 'bank.charge', value: (await charge(keys.captured)).body },
      { name: 'bank.charge', value: (await charge(keys.declined, 'tok_declined')).body },
      { name: 'bank.reverse', value: (await reverse(keys.voided)).body },
      { name: 'bank.charge', value: (await charge(keys.voided)).body },
      { name: 'bank.reverse', value: (await reverse(keys.declined)).body },
      { name: 'bank.charge', value: (await charge(keys.refunded)).body },
      { name: 'bank.reverse', value: (await reverse(keys.refunded)).body },
      { name: 'bank.get', value: (await get(uuidv7())).body },
    ];
    for (const key of Object.values(keys)) made.push({ name: 'bank.get', value: (await get(key)).body });
    expect(await disappointedBy(made)).toEqual({ disappointments: [], unread: [] });

    const { status, ...renamed } = (await get(keys.captured)).body;
    const broken = [{ name: 'bank.get', value: { ...renamed, state: status } }];
    expect((await disappointedBy(broken)).disappointments).toMatchObject([{ consumer: 'payments', what: 'bank.get' }]);
  });
});

describe('seed', () => {
  it('when it runs twice, the books are as after once, and every charge has its entries', async () => {
    const client = new pg.Client(database.url);
    await client.connect();
    await seed(client);
    await seed(client);
    await client.end();
    const books = await database.query(
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
