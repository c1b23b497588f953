import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { badRequests, sendBad } from '../_e2e/bad-input.ts';
import { malformedRequests, sendRaw } from '../_e2e/raw-http.ts';
import { converse, end } from '../../tools/fuzz/wire.ts';
import { allowed } from './app.ts';
import { routes } from './contract.ts';
import { securityHeaders } from './security-headers.ts';
import { readConformity, type Conformity } from './test-conformity.ts';
import { startTestGateway, type Json } from './test-gateway.ts';

let gateway: Awaited<ReturnType<typeof startTestGateway>>;
let conformity: Conformity;
beforeAll(async () => {
  conformity = await readConformity();
  gateway = await startTestGateway();
});
afterAll(() => gateway.close());
beforeEach(() => gateway.reset());

const newOrder = { items: [{ productId: '1', quantity: 2 }], paymentToken: 'tok_ok' };
const internals = /ECONN|secret|dapr|sidecar[^t]|node_modules|\.ts\b|zod|express|postgres|127\.0\.0\.1/i;

describe('bad input', () => {
  it.each(badRequests)('when it is $name, it is answered $expect $code', async (bad) => {
    gateway.answer('products.listProducts', { kind: 'bad-cursor' });
    gateway.answer('orders.listOrders', { kind: 'bad-cursor' });
    const response = await sendBad(gateway.base, bad, gateway.tokens);
    const text = await response.text();
    const problem = JSON.parse(text) as Json;
    expect({ status: response.status, code: problem['code'] }).toEqual({ status: bad.expect, code: bad.code });
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(problem).toMatchObject({ type: `urn:sidecart:problem:${bad.code}`, title: expect.any(String) as string });
    expect(problem['traceId']).toMatch(/^[0-9a-f]{32}$/);
    expect(text).not.toMatch(internals);
    expect(conformity({ ...bad, status: response.status, body: problem }).problem).toBeUndefined();
    expect(gateway.asked.map((call) => call.name)).toEqual(bad.asks === undefined ? [] : [bad.asks]);
  });

  it.each(malformedRequests)(
    'when it is $name on the wire, it is answered $expect',
    async ({ text, expect: status }) => {
      const answer = await sendRaw(gateway.port, text);
      expect(answer.status).toBe(status);
      expect(answer.headers).toContain('content-type: application/problem+json');
      for (const name of Object.keys(securityHeaders)) expect(answer.headers).toContain(`${name}: `);
      expect(JSON.parse(answer.body)).toMatchObject({ status });
      expect(answer.body).not.toMatch(internals);
    },
  );

  it('when the token has not the scope of what it is used for, it is answered 403', async () => {
    gateway.answer('orders.listOrders', { kind: 'page', items: [] });
    expect((await gateway.send('GET', '/api/orders', 'reader')).status).toBe(200);
    const { status, json, headers } = await gateway.send('DELETE', '/api/products/1', 'reader');
    expect([status, json['code']]).toEqual([403, 'forbidden']);
    expect(headers.get('www-authenticate')).toContain('error="insufficient_scope", scope="write"');
    expect(gateway.asked.map(({ name }) => name)).toEqual(['orders.listOrders']);
  });

  it('when fields are wrong, every one is named by its pointer', async () => {
    const body = { items: [{ productId: 1, quantity: 0, 'a/b~': 1 }], more: true };
    const { json } = await gateway.send('POST', '/api/orders', 'customer', body, { 'idempotency-key': 'k' });
    const errors = json['errors'] as { pointer: string }[];
    expect(errors.map((error) => error.pointer).sort()).toEqual(
      ['/items/0/a~1b~0', '/items/0/productId', '/items/0/quantity', '/more', '/paymentToken'].sort(),
    );
  });

  it('when the body is not UTF-8, it is answered 400', async () => {
    const headers = { authorization: `Bearer ${gateway.tokens.customer}`, 'content-type': 'application/json' };
    const body = Buffer.from('{"items":[],"paymentToken":"\xff"}', 'latin1');
    const key = { 'idempotency-key': 'k' };
    const response = await fetch(`${gateway.base}/api/orders`, {
      method: 'POST',
      headers: { ...headers, ...key },
      body,
    });
    expect([response.status, await response.json()]).toMatchObject([400, { code: 'bad-json' }]);
  });

  it('when chunks break off or never end, the answer is 4xx and the connection goes', async () => {
    const limits = { headersTimeout: 1_000, requestTimeout: 1_500, keepAliveTimeout: 1_000 };
    const hasty = await startTestGateway({ limits });
    const head =
      `POST /api/orders HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${hasty.tokens.customer}\r\n` +
      'Content-Type: application/json\r\nIdempotency-Key: k\r\nTransfer-Encoding: chunked\r\n\r\n';
    expect((await sendRaw(hasty.port, `${head}zz\r\n`)).status).toBe(400);
    const chunk = `4000\r\n${'['.repeat(0x4000)}\r\n`;
    expect((await sendRaw(hasty.port, head + chunk.repeat(5))).status).toBe(413);
    expect((await sendRaw(hasty.port, `${head}4\r\n[`)).status).toBe(408);
    expect((await sendRaw(hasty.port, 'GET / HTTP/1.1\r\nHost')).status).toBe(408);
    expect((await sendRaw(hasty.port, head.replace('chunked', 'gzip'))).status).toBe(400);
    const sized = head.replace('Transfer-Encoding: chunked', 'Content-Length: 999999999');
    expect((await sendRaw(hasty.port, sized)).status).toBe(413);
    await hasty.close();
  });

  it('when the client goes away in the middle of a body, it is no failure of ours', async () => {
    const head = `POST /api/orders HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${gateway.tokens.customer}\r\n`;
    await sendRaw(
      gateway.port,
      `${head}Content-Type: application/json\r\nIdempotency-Key: k\r\nContent-Length: 9\r\n\r\n{`,
      { silentMs: 50 },
    );
    await expect.poll(() => gateway.logged.join('')).toContain('"aborted":true');
    expect(gateway.logged.join('')).not.toContain('request failed');
  });

  it.each(['zz\r\n', ''])(
    'when it was refused before its body turned out bad, there is no second answer',
    async (rest) => {
      const head = 'POST /api/orders HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';
      const { answers } = await converse(gateway.port, [head, { pauseMs: 50 }, rest, end]);
      expect(answers.map(({ status }) => status)).toEqual([401]);
    },
  );

  it('when the target is a whole URL, it is served by its path', async () => {
    const { answers } = await converse(gateway.port, ['GET http://a/health?x=1 HTTP/1.1\r\nHost: a\r\n\r\n'], {
      expected: 1,
    });
    expect(answers[0]?.text).toContain('"bad-query"');
  });

  it('when a second request on a connection is garbage, the first is answered and nothing else', async () => {
    gateway.answer(
      'products.getProduct',
      () => new Promise((resolve) => setTimeout(resolve, 50, { kind: 'not-found' })),
    );
    const pipelined = 'GET /api/products/1 HTTP/1.1\r\nHost: a\r\n\r\nnonsense\r\n\r\n';
    const { status, headers, body } = await sendRaw(gateway.port, pipelined + pipelined);
    expect(status).toBe(404);
    expect(headers).toContain('connection: close');
    expect(body).toMatch(/^\{[^{}]*\}$/);
  });
});

describe('routes', () => {
  it('when the method is another one, 405 says which there are', async () => {
    for (const [path, allow] of allowed()) {
      const other = allow.includes('PUT') ? 'POST' : 'PUT';
      const { status, headers } = await gateway.send(other, path.replace(/\{\w+\}/, '1'));
      expect([status, headers.get('allow')]).toEqual([405, allow]);
    }
    expect(allowed().get('/api/products/{productId}')).toBe('GET, HEAD, PATCH, DELETE');
  });

  it('when a service is away, every route that needs one is 503 with Retry-After and no internals', async () => {
    const bodies: Partial<Record<string, object>> = {
      createProduct: { name: 'Lamp', category: 'home', price: { amount: 1, currency: 'EUR' } },
      changeProduct: { name: 'Lamp' },
      receiveStock: { warehouse: 'north', quantity: 1 },
      adjustStock: { warehouse: 'north', quantity: -1, reason: 'broken' },
      grantRole: { role: 'staff' },
      revokeRole: { role: 'staff' },
      placeOrder: newOrder,
      createUser: { name: 'Ada', email: 'ada@example.com' },
      replaceUser: { name: 'Ada', email: 'ada@example.com' },
      changeUser: { name: 'Ada' },
      createTenant: { id: 'acme', name: 'Acme' },
      inviteMember: { email: 'ada@example.com', roles: ['staff'] },
      acceptInvitation: { token: 't' },
    };
    for (const [name, { method, path }] of Object.entries(routes)) {
      if (!path.startsWith('/api')) continue;
      const target = path.replace(/\{\w+\}/, '1');
      const answer = await gateway.send(method, target, 'admin', bodies[name], { 'idempotency-key': 'k' });
      expect([name, answer.status, answer.json['code']]).toEqual([name, 503, 'dependency-unavailable']);
      expect(answer.headers.get('retry-after')).toBe('1');
      expect(answer.text).not.toMatch(internals);
    }
  });

  it('when a handler breaks, it is a bare 500 and the log has the cause', async () => {
    gateway.answer('products.getProduct', () => {
      throw new Error('secret of ours');
    });
    const { status, json, text } = await gateway.send('GET', '/api/products/1');
    expect([status, json['code'], json['detail']]).toEqual([500, 'internal', undefined]);
    expect(text).not.toContain('secret');
    expect(gateway.logged.join('')).toContain('secret of ours');
  });

  it('when asked by HEAD, the answer is that of GET without its body', async () => {
    const { status, headers, text } = await gateway.send('HEAD', '/');
    expect([status, headers.get('content-type'), text]).toEqual([200, 'application/json', '']);
  });

  it('when asked for /, it says what there is', async () => {
    const { json } = await gateway.send('GET', '/');
    expect(json['name']).toBe('sidecart');
    expect(json['routes']).toHaveLength(Object.keys(routes).length);
    expect(json['links']).toMatchObject({ api: '/openapi.json' });
  });

  it('when asked for /openapi.json, it is what contracts/ holds', async () => {
    const published = await readFile(new URL('../../contracts/openapi.json', import.meta.url), 'utf8');
    expect((await gateway.send('GET', '/openapi.json')).json).toEqual(JSON.parse(published));
  });
});

describe('what travels', () => {
  it('when a service is asked, token, trace and deadline go along', async () => {
    gateway.answer('products.getProduct', { kind: 'not-found' });
    const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    const before = Date.now();
    const headers = { traceparent, 'x-request-id': 'mine-1', 'x-deadline': '1' };
    const answer = await gateway.send('GET', '/api/products/1', 'customer', undefined, headers);
    const context = gateway.asked[0]?.context;
    expect(context?.authorization).toBe(`Bearer ${gateway.tokens.customer}`);
    expect(context?.traceparent).toMatch(new RegExp(`^00-${'a'.repeat(32)}-(?!${'b'.repeat(16)})`));
    expect(context?.deadline).toBeGreaterThanOrEqual(before + 2_500);
    expect([context?.requestId, answer.headers.get('x-request-id')]).toEqual(['mine-1', 'mine-1']);
    expect(answer.json['traceId']).toBe('a'.repeat(32));
  });

  it('when the request id is not sane, another is made', async () => {
    const { headers } = await gateway.send('GET', '/', undefined, undefined, { 'x-request-id': 'a b' });
    expect(headers.get('x-request-id')).toMatch(/^[0-9a-f]{32}$/);
  });

  it('when answered, one line tells route, status and time, and neither id, token nor body', async () => {
    gateway.answer('orders.getOrder', { kind: 'not-found' });
    const { headers } = await gateway.send('GET', '/api/orders/somebody', 'customer');
    await expect.poll(() => gateway.logged.length).toBe(1);
    const line = JSON.parse(gateway.logged[0] ?? '') as Json;
    expect(line).toMatchObject({
      msg: 'request answered',
      route: 'GET /api/orders/:orderId',
      status: 404,
      method: 'GET',
    });
    expect(line['durationMs']).toEqual(expect.any(Number));
    expect(gateway.logged[0]).not.toMatch(/somebody|Bearer|eyJ/);
    expect([headers.get('cache-control'), headers.get('x-content-type-options')]).toEqual(['no-store', 'nosniff']);
  });

  it('when it is stopping, the answer in flight closes its connection', async () => {
    gateway.answer('products.getProduct', () => {
      gateway.state.stopping = true;
      return { kind: 'not-found' };
    });
    const { status, headers } = await gateway.send('GET', '/api/products/1');
    expect([status, headers.get('connection')]).toEqual([404, 'close']);
  });
});
