import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createSealing } from './sealing.ts';
import {
  asReporter,
  createBrowser,
  peoplePassword,
  post,
  redeem,
  refresh,
  reporterSecret,
  signIn,
  startAuth,
  type Auth,
  type Browser,
} from './test-support.ts';

let auth: Auth;
beforeAll(async () => {
  auth = await startAuth({ sealingKey });
});
afterAll(() => auth.close());

const sealingKey = 'the sealing key of this test';
const email = 'nora@example.com';
const [first, second] = ['plain words that nobody has', 'other words that nobody has'];
const text = z.object({ text: z.string() });

/** Every row of every table, as text by table: what whoever has the database reads. */
async function everyRow(): Promise<Map<string, string>> {
  const tables = await auth.database.query<{ name: string }>(
    `select format('%I.%I', table_schema, table_name) as name from information_schema.tables
      where table_type = 'BASE TABLE' and table_schema not in ('pg_catalog', 'information_schema')`,
  );
  const found = new Map<string, string>();
  for (const { name } of tables) {
    const rows = await auth.database.query<{ row: string }>(`select t::text as row from ${name} t`);
    found.set(name, rows.map(({ row }) => row).join('\n'));
  }
  return found;
}

/** How a secret would look: as it is, in a form or an address, and as base64 or hex, of it alone or of more around it. */
function looksOf(secret: string): string[] {
  const bytes = [Buffer.from(secret)];
  const decoded = Buffer.from(secret, 'base64url'); // most of them are random bytes that are written so
  if (decoded.length >= 16 && decoded.toString('base64url') === secret) bytes.push(decoded);
  const encoded = bytes.flatMap((one) =>
    [0, 1, 2].flatMap((offset) => {
      const around = Buffer.concat([Buffer.alloc(offset), one]).toString('base64');
      const sure = around
        .slice(offset === 0 ? 0 : offset + 1)
        .replace(/=*$/, '')
        .slice(0, -1);
      return [sure, sure.replaceAll('+', '-').replaceAll('/', '_')];
    }),
  );
  const hex = bytes.map((one) => one.toString('hex'));
  const url = encodeURIComponent(secret);
  return [secret, url, url.replaceAll('%20', '+'), ...encoded, ...hex, ...hex.map((one) => one.toUpperCase())];
}

async function tokenMailed(): Promise<string> {
  const mails = (await auth.emitted()).filter(({ topic }) => topic === 'notifications.requests');
  const { text: said } = text.parse(mails.at(-1)?.data);
  return /token=([\w-]{20,})/.exec(said)?.[1] ?? 'no link';
}

async function submit(browser: Browser, path: string, fields: Record<string, string>): Promise<void> {
  const answer = await browser.fill(path, await browser.get(path), fields);
  expect(answer.status, path).toBeLessThan(400);
}

/** Somebody's whole life here, and a machine's; gives every secret that came up in it, and those mailed apart. */
async function live() {
  const browser = createBrowser(auth);
  const secrets: Record<string, string | undefined> = { first, second, peoplePassword, reporterSecret };
  const mailed: Record<string, string> = {};
  await submit(browser, '/account/register', { name: 'Nora', email, password: first });
  mailed['verify'] = await tokenMailed();
  await submit(browser, `/account/verify?token=${mailed['verify']}`, {});

  const { code, verifier } = await signIn(browser, { email, password: first });
  const tokens = await redeem(browser, code, verifier, { scope: 'openid' });
  const next = await refresh(browser, tokens.refresh_token);
  Object.assign(secrets, { code, verifier, refresh: tokens.refresh_token, nextRefresh: next.refresh_token });
  Object.assign(secrets, { access: tokens.access_token, nextAccess: next.access_token, id: tokens.id_token });
  const unused = await signIn(browser, { email, password: first });
  Object.assign(secrets, { unusedCode: unused.code, unusedVerifier: unused.verifier });
  for (const [name, { value }] of browser.jar) secrets[`cookie ${name}`] = value;
  await signIn(createBrowser(auth), { email, password: 'a wrong guess of words' });
  secrets['guess'] = 'a wrong guess of words';

  const form = {
    grant_type: 'client_credentials',
    scope: 'read',
    client_id: 'reporter',
    client_secret: reporterSecret,
  };
  const { client_id: _, client_secret: __, ...bare } = form;
  secrets['machine'] = (await post(browser, '/oauth/token', bare, asReporter)).access_token;

  await submit(browser, '/account/forgot', { email });
  mailed['used'] = await tokenMailed();
  await submit(browser, `/account/reset?token=${mailed['used']}`, { password: second });
  await submit(browser, '/account/forgot', { email });
  mailed['reset'] = await tokenMailed();

  // As it is after a while, with sessions and codes that still hold.
  const last = createBrowser(auth);
  const again = await signIn(last, { email, password: second });
  secrets['lastCode'] = again.code;
  for (const [name, { value }] of last.jar) secrets[`last cookie ${name}`] = value;
  const keys = await auth.database.query<{ kid: string; sealed: string }>('select kid, sealed from signing_keys');
  for (const { kid, sealed } of keys)
    secrets[`key ${kid}`] = createSealing(sealingKey).open(sealed, `signing key ${kid}`);
  return { secrets, mailed };
}

describe('the database', () => {
  it('when somebody reads all of it, he finds no key, password, token, code or cookie, but mails as they were asked for', async () => {
    const { secrets, mailed } = await live();
    const rows = await everyRow();
    const placesOf = (secret: string) =>
      [...rows].filter(([, all]) => looksOf(secret).some((look) => all.includes(look))).map(([table]) => table);

    // It is read at all, and what is there is found, however it is written.
    expect(rows.size).toBeGreaterThan(10);
    for (const table of ['accounts', 'oidc_payloads', 'signing_keys', 'oauth_clients', 'idempotency_keys', 'tries'])
      expect(rows.get(`public.${table}`), table).not.toBe('');
    expect(placesOf(email)).toEqual(expect.arrayContaining(['public.accounts', 'public.outbox']));
    const inBase64 = Buffer.from(`before ${first} after`).toString('base64');
    expect(looksOf(first).some((look) => inBase64.includes(look))).toBe(true);

    expect(Object.keys(secrets).filter((name) => name.startsWith('key '))).toHaveLength(1);
    for (const [name, secret] of Object.entries(secrets)) expect(secret?.length, name).toBeGreaterThanOrEqual(16);
    const found = Object.entries(secrets).map(([name, secret = '']) => [name, ...placesOf(secret)]);
    expect(found.filter(([, place]) => place !== undefined)).toEqual([]);
    // A mail is asked for by an event, and its link is its text; account_links knows only hashes.
    for (const [name, secret] of Object.entries(mailed))
      expect({ name, places: placesOf(secret) }).toEqual({ name, places: ['public.outbox'] });
  });

  it('when a password is kept, it is by Argon2id, with 19 MiB, two passes and a salt of its own at least', async () => {
    const kept = await auth.database.query<{ password_hash: string }>(
      'select password_hash from accounts where password_hash is not null',
    );
    expect(kept.length).toBeGreaterThanOrEqual(5);
    const parsed = kept.map(
      ({ password_hash: hash }) => /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([\w+/]+)\$([\w+/]+)$/.exec(hash) ?? [],
    );
    for (const [, memory, passes, lanes, salt = '', tag = ''] of parsed) {
      expect(Number(memory)).toBeGreaterThanOrEqual(19_456);
      expect(Number(passes)).toBeGreaterThanOrEqual(2);
      expect(Number(lanes)).toBeGreaterThanOrEqual(1);
      expect([salt, tag].map((part) => Buffer.from(part, 'base64').length)).toEqual([16, 32]);
    }
    expect(new Set(parsed.map(([, , , , salt]) => salt)).size).toBe(kept.length);
  });

  it('when somebody guesses what was sent, password and all, no hash tells him that he is right', async () => {
    const body = Buffer.from(new URLSearchParams({ email, password: second }).toString()).toString('base64');
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const request = { method: 'POST', target: '/sign-in/x', headers, body, address: '10.0.0.1' } as const;
    await (await auth.as()).exchangeHttp(request, { idempotencyKey: 'a key of this test' });
    const kept = await auth.database.query<{ request_hash: string }>(
      `select request_hash from idempotency_keys where key = 'a key of this test'`,
    );
    const said = ['', 'exchangeHttp', 'exchangeHttp\0'].flatMap((before) =>
      [JSON.stringify(request), JSON.stringify(JSON.stringify(request)), body].map((text) => before + text),
    );
    const hashes = said.map((text) => createHash('sha256').update(text).digest('base64'));
    expect(kept).toHaveLength(1);
    expect(hashes).not.toContain(kept[0]?.request_hash);
  });

  it('when a link was mailed, it works for its time and once, and then whoever reads it has nothing', async () => {
    const lives = await auth.database.query<{ purpose: string; seconds: number }>(
      `select purpose, extract(epoch from expires_at - clock_timestamp())::float8 as seconds from account_links`,
    );
    expect(lives.map(({ purpose }) => purpose)).toEqual(['set-password']);
    expect(lives[0]?.seconds).toBeGreaterThan(0);
    expect(lives[0]?.seconds).toBeLessThanOrEqual(1_800);
    const link = `/account/reset?token=${await tokenMailed()}`;
    const browser = createBrowser(auth);
    expect((await browser.get(link)).status).toBe(200);
    await auth.database.query(`update account_links set expires_at = clock_timestamp() - interval '1 second'`);
    expect((await browser.get(link)).status).toBe(400);
  });
});
