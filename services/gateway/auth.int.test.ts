import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { HttpRequest } from '../auth/contract.ts';
import { startTestGateway } from './test-gateway.ts';

let gateway: Awaited<ReturnType<typeof startTestGateway>>;
beforeAll(async () => {
  gateway = await startTestGateway();
});
afterAll(() => gateway.close());
beforeEach(() => gateway.reset());

const form = { 'content-type': 'application/x-www-form-urlencoded' };
const exchanged = (status: number, headers: [string, string][], body = '') => ({
  kind: 'exchanged',
  status,
  headers,
  body: Buffer.from(body).toString('base64'),
});
const exchange = () => gateway.asked[0]?.request as HttpRequest;
const send = (method: string, path: string, headers: Record<string, string> = {}, body?: string) =>
  fetch(gateway.base + path, { method, headers, body: body ?? null, redirect: 'manual' });

describe('a request for auth', () => {
  it('when it comes, auth is given it as it stands, with the headers that it needs and the address of the socket', async () => {
    gateway.answer('auth.exchangeHttp', exchanged(200, [['content-type', 'application/json']], '{"access_token":"x"}'));
    const headers = { ...form, authorization: 'Basic YTpi', cookie: 'a=b; c=d', 'x-forwarded-for': '9.9.9.9', te: 'x' };
    const response = await send('POST', '/oauth/token?a=%20b', headers, 'grant_type=x&code=%C3%A9');
    expect([response.status, await response.text()]).toEqual([200, '{"access_token":"x"}']);
    expect(exchange()).toMatchObject({ method: 'POST', target: '/oauth/token?a=%20b', address: '127.0.0.1' });
    expect(Buffer.from(exchange().body, 'base64').toString()).toBe('grant_type=x&code=%C3%A9');
    expect(exchange().headers).toMatchObject({ ...form, authorization: 'Basic YTpi', cookie: 'a=b; c=d' });
    expect(Object.keys(exchange().headers)).not.toContain('x-forwarded-for');
    expect(gateway.asked[0]?.key).toMatch(/^[\w-]{36}$/);
    expect(gateway.asked[0]?.context?.authorization).toBeUndefined();
  });

  it('when a trusted proxy brings it, auth is told the address that the proxy names; when another does, his own', async () => {
    const behind = await startTestGateway({ proxies: ['127.0.0.1'] });
    behind.answer('auth.exchangeHttp', exchanged(200, []));
    const headers = { 'x-forwarded-for': '9.9.9.9, 203.0.113.7' };
    await fetch(`${behind.base}/account/register`, { headers });
    expect(behind.asked[0]?.request).toMatchObject({ address: '203.0.113.7' });
    await behind.close();
    gateway.answer('auth.exchangeHttp', exchanged(200, []));
    await send('GET', '/account/register', headers);
    expect(exchange().address).toBe('127.0.0.1');
  });

  it('when auth answers, the client gets each cookie and what is meant for him, and nothing else', async () => {
    const headers: [string, string][] = [
      ['location', '/sign-in/x'],
      ['set-cookie', 'a=1; HttpOnly'],
      ['set-cookie', 'b=2; HttpOnly'],
      ['content-security-policy', "form-action 'self'"],
      ['connection', 'keep-alive'],
      ['x-powered-by', 'something'],
      ['access-control-allow-origin', '*'],
    ];
    gateway.answer('auth.exchangeHttp', exchanged(303, headers));
    const response = await send('GET', '/oauth/authorize?client_id=cli');
    expect([response.status, response.headers.get('location')]).toEqual([303, '/sign-in/x']);
    expect(response.headers.getSetCookie()).toEqual(['a=1; HttpOnly', 'b=2; HttpOnly']);
    expect(response.headers.get('content-security-policy')).toBe("form-action 'self'");
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    for (const name of ['x-powered-by', 'access-control-allow-origin']) expect(response.headers.has(name)).toBe(false);
  });

  it('when a body is no form, encoded or too large, it is refused, and auth hears nothing', async () => {
    const refusals = [
      await send('POST', '/oauth/token', { 'content-type': 'application/json' }, '{}'),
      await send('POST', '/oauth/token', { ...form, 'content-encoding': 'gzip' }, 'a=b'),
      await send('POST', '/sign-in/x', form, `a=${'b'.repeat(70_000)}`),
      await send('GET', '/oauth/authorize', { cookie: `a=${'b'.repeat(9_000)}` }),
    ];
    expect(refusals.map(({ status }) => status)).toEqual([415, 415, 413, 400]);
    expect(gateway.asked).toEqual([]);
  });

  it('when auth is away or refuses, that is a problem like any other; nobody else takes a form', async () => {
    const away = await send('GET', '/sign-in/x');
    expect([away.status, await away.json()]).toMatchObject([503, { detail: 'Not reached: auth.' }]);
    gateway.answer('auth.exchangeHttp', { kind: 'overloaded', retryAfterMs: 3_000 });
    const refused = await send('POST', '/sign-in/x', form, 'a=b');
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '3']);
    const order = { ...form, authorization: `Bearer ${gateway.tokens.customer}`, 'idempotency-key': 'k' };
    expect((await send('POST', '/api/orders', order, 'a=b')).status).toBe(415);
  });
});

describe('roles', () => {
  it('when an admin gives or takes one, the person has what is left; nobody else may', async () => {
    gateway.answer('auth.grantRole', { kind: 'roles', roles: ['customer', 'staff'] });
    const granted = await gateway.send('POST', '/api/users/7/role-grants', 'admin', { role: 'staff' });
    expect([granted.status, granted.json]).toEqual([200, { roles: ['customer', 'staff'] }]);
    expect(gateway.asked[0]?.request).toEqual({ userId: '7', role: 'staff' });
    expect((await gateway.send('POST', '/api/users/7/role-grants', 'staff', { role: 'admin' })).status).toBe(403);
    gateway.answer('auth.revokeRole', { kind: 'last-admin' });
    const last = await gateway.send('POST', '/api/users/5/role-revocations', 'admin', { role: 'admin' });
    expect([last.status, last.json['code']]).toEqual([409, 'last-admin']);
    gateway.answer('auth.listRoles', { kind: 'not-found' });
    expect((await gateway.send('GET', '/api/users/nobody/roles', 'admin')).status).toBe(404);
  });
});
