import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sendRaw } from '../_e2e/raw-http.ts';
import { startTestGateway } from './test-gateway.ts';

let gateway: Awaited<ReturnType<typeof startTestGateway>>;
beforeAll(async () => {
  gateway = await startTestGateway({ origins: ['https://shop.example', 'http://127.0.0.1:5173'] });
});
afterAll(() => gateway.close());
beforeEach(() => gateway.reset());

const product = { id: '7', name: 'Lamp', category: 'home', price: { amount: 100, currency: 'EUR' }, version: 3 };
const found = { kind: 'found', product, cache: 'hit' };
const read = (headers: Record<string, string> = {}, verb = 'GET', path = '/api/products/7') =>
  gateway.send(verb, path, undefined, undefined, headers);
const etagOf = async (path?: string) => (await read({}, 'GET', path)).headers.get('etag') ?? '';

describe('what may be kept', () => {
  it('when a product is read, its strong ETag begins with the version, and copies have to be asked about', async () => {
    gateway.answer('products.getProduct', found);
    const { headers } = await read();
    expect(headers.get('etag')).toMatch(/^"3\.[\w-]{27}"$/);
    expect([headers.get('cache-control'), headers.get('vary')]).toEqual(['private, no-cache', 'Origin, Authorization']);
  });

  it('when the client has it already, 304 without a body; weak comparison, lists, * and HEAD are all right', async () => {
    gateway.answer('products.getProduct', found);
    const etag = await etagOf();
    for (const tags of [etag, `W/${etag}`, `"x", ${etag}`, `"x,y" ,\tW/${etag}`, '*'])
      for (const verb of ['GET', 'HEAD']) {
        const { status, text, headers } = await read({ 'if-none-match': tags }, verb);
        expect([tags, status, text, headers.get('etag'), headers.get('content-type')]).toEqual([
          tags,
          304,
          '',
          etag,
          null,
        ]);
        expect(headers.get('cache-control')).toBe('private, no-cache');
      }
    for (const tags of ['"x"', etag.slice(1, -1), `"${etag}"`, '', `${etag} "x"`, '**'])
      expect([tags, (await read({ 'if-none-match': tags })).status]).toEqual([tags, 200]);
  });

  it('when anything of it changes, so does its ETag; of lists and stock as well', async () => {
    gateway.answer('products.getProduct', found);
    const etag = await etagOf();
    gateway.answer('products.getProduct', { ...found, product: { ...product, name: 'Lamp!' } });
    expect(await etagOf()).not.toBe(etag);
    gateway.answer('products.listProducts', { kind: 'page', items: [product] });
    const list = await etagOf('/api/products');
    expect((await read({ 'if-none-match': list }, 'GET', '/api/products')).status).toBe(304);
    gateway.answer('products.listProducts', { kind: 'page', items: [product], nextCursor: 'x' });
    expect((await read({ 'if-none-match': list }, 'GET', '/api/products')).status).toBe(200);
    gateway.answer('inventory.getStock', {
      ...{ kind: 'stock', stock: { productId: '7', available: 5, reserved: 1, warehouses: [] } },
    });
    expect((await read({ 'if-none-match': '*' }, 'GET', '/api/inventory/7')).status).toBe(304);
  });

  it('when it is not there, or nothing that may be kept, no condition makes it 304', async () => {
    gateway.answer('products.getProduct', { kind: 'not-found' });
    gateway.answer('orders.getOrder', { kind: 'not-found' });
    const { status, headers } = await read({ 'if-none-match': '*' });
    expect([status, headers.get('cache-control'), headers.get('etag')]).toEqual([404, 'no-store', null]);
    for (const path of ['/', '/openapi.json']) {
      const answer = await read({ 'if-none-match': '*' }, 'GET', path);
      expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'no-store']);
    }
  });
});

describe('If-Match', () => {
  const change = (headers: Record<string, string>) =>
    gateway.send('PATCH', '/api/products/7', 'staff', { name: 'Lamp' }, headers);

  it('when it names versions, the service is told which may be changed', async () => {
    gateway.answer('products.changeProduct', { kind: 'changed', product });
    const seen = [
      ...['"3.abc"', '*', '"3.abc", "12.x"', 'W/"3.abc"', '"abc"', '"x", "4.y"'],
      ...['"3"', '"9999999999.x"'],
    ];
    for (const tags of seen) await change({ 'if-match': tags });
    expect(gateway.asked.map(({ request }) => (request as { versions?: number[] }).versions)).toEqual([
      [3],
      undefined,
      [3, 12],
      [],
      [],
      [4],
      [],
      [],
    ]);
    const { headers } = await change({});
    expect(headers.get('etag')).toMatch(/^"3\./);
  });

  it('when it has changed since, 412 says which version it has now', async () => {
    gateway.answer('products.changeProduct', { kind: 'other-version', version: 4 });
    gateway.answer('products.retireProduct', { kind: 'other-version', version: 4 });
    const tags = { 'if-match': '"3.abc"' };
    for (const answer of [
      await change(tags),
      await gateway.send('DELETE', '/api/products/7', 'staff', undefined, tags),
    ])
      expect([answer.status, answer.json]).toMatchObject([412, { code: 'other-version', detail: 'Its version is 4.' }]);
  });

  it('when it is no list of tags, 400, and nobody is asked', async () => {
    for (const tags of ['', 'abc', '"a" "b"', '"a",', '*, "a"', Array(21).fill('"1.a"').join(',')])
      expect([tags, (await change({ 'if-match': tags })).status]).toEqual([tags, 400]);
    expect(gateway.asked).toEqual([]);
  });
});

describe('a page of another origin', () => {
  const ask = async (origin: string, path: string, method = 'GET', more: Record<string, string> = {}) => {
    const { status, headers } = await fetch(gateway.base + path, { method, headers: { origin, ...more } });
    return { status, headers, allowed: headers.get('access-control-allow-origin') };
  };
  const preflight = (origin: string, path: string, method: string) =>
    ask(origin, path, 'OPTIONS', { 'access-control-request-method': method });

  it('when its origin is configured, it may read answers and errors, and none without', async () => {
    gateway.answer('products.getProduct', found);
    for (const path of ['/api/products/7', '/api/nothing', '/api/orders', '/%']) {
      const { headers, allowed } = await ask('https://shop.example', path);
      expect([path, allowed, headers.get('vary')]).toEqual([
        path,
        'https://shop.example',
        expect.stringContaining('Origin'),
      ]);
      expect(headers.get('access-control-expose-headers')).toContain('etag');
      expect(headers.has('access-control-allow-credentials')).toBe(false);
    }
    const others = [
      ...['https://shop.example.evil', 'https://evil.shop.example', 'http://shop.example', 'https://shop.example:444'],
      ...['https://SHOP.example', 'null', '*', 'https://shop.example/', 'https://shop.example, http://127.0.0.1:5173'],
    ];
    for (const origin of others) {
      const { allowed, headers } = await ask(origin, '/api/products/7');
      expect([origin, allowed, headers.get('vary')]).toEqual([origin, null, expect.stringContaining('Origin')]);
    }
  });

  it('when it asks before it sends, it is told what the table has, for ten minutes', async () => {
    const { status, headers, allowed } = await preflight('https://shop.example', '/api/products/7', 'PATCH');
    expect([status, allowed]).toEqual([204, 'https://shop.example']);
    expect(headers.get('access-control-allow-methods')).toBe('GET, HEAD, PATCH, DELETE');
    expect(headers.get('access-control-allow-headers')).toBe(
      'authorization, content-type, idempotency-key, if-match, if-none-match, traceparent, x-request-id',
    );
    expect(headers.get('access-control-max-age')).toBe('600');
    expect(gateway.asked).toEqual([]);
  });

  it('when it is another, or the path is none, or nothing is asked, OPTIONS is refused like any method that is not there', async () => {
    expect((await preflight('https://evil.example', '/api/products/7', 'PATCH')).status).toBe(405);
    expect((await preflight('https://shop.example', '/api/nothing', 'GET')).status).toBe(404);
    expect((await ask('https://shop.example', '/api/products/7', 'OPTIONS')).status).toBe(405);
  });

  it('when it asks for a page that people sign in at, it may not read that, and only that', async () => {
    const answer = { kind: 'exchanged', status: 200, headers: [['access-control-allow-origin', '*']], body: '' };
    gateway.answer('auth.exchangeHttp', answer);
    const pages = [
      ...['/oauth/authorize?client_id=cli', '/oauth/authorize/x', '/sign-in/x', '/account', '/account/register'],
      ...['/account/password', '/oauth/sign-out', '/oauth/sign-out/success'],
    ];
    for (const path of pages) {
      const answers = [await ask('https://shop.example', path), await preflight('https://shop.example', path, 'GET')];
      expect([path, ...answers.map(({ status, allowed }) => [status, allowed])]).toEqual([
        path,
        [200, null],
        [405, null],
      ]);
    }
    for (const path of ['/.well-known/openid-configuration', '/oauth/jwks', '/oauth/userinfo'])
      expect([path, (await ask('https://shop.example', path)).allowed]).toEqual([path, 'https://shop.example']);
  });

  it('when a good token comes as a cookie, nobody is signed in', async () => {
    const cookie = `access_token=${gateway.tokens.customer}; authorization=Bearer ${gateway.tokens.customer}`;
    const { status } = await ask('https://shop.example', '/api/orders', 'GET', { cookie });
    expect([status, gateway.asked]).toEqual([401, []]);
  });

  it('when none is configured, nobody is told anything', async () => {
    const closed = await startTestGateway();
    const { headers, status } = await fetch(`${closed.base}/`, {
      headers: { origin: 'https://shop.example', 'access-control-request-method': 'GET' },
    });
    expect([status, headers.get('access-control-allow-origin'), headers.get('vary')]).toEqual([200, null, null]);
    await closed.close();
  });
});

describe('every answer', () => {
  const wanted = {
    'x-content-type-options': 'nosniff',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    'referrer-policy': 'no-referrer',
    'cross-origin-resource-policy': 'same-origin',
  };

  it('when it is one, says what a browser may do with it, and so does the refusal of what is no HTTP', async () => {
    gateway.answer('products.getProduct', found);
    const all = ['/', '/api/products/7', '/api/orders', '/nothing', '/%', '/health'];
    for (const path of all) {
      const { headers } = await fetch(gateway.base + path);
      expect(Object.fromEntries(headers)).toMatchObject(wanted);
      expect(headers.get('permissions-policy')).toContain('camera=()');
    }
    const raw = await sendRaw(gateway.port, 'nonsense\r\n\r\n');
    for (const [name, value] of Object.entries(wanted)) expect(raw.headers).toContain(`${name}: ${value}`);
  });
});
