import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { ask, begin, echoOf, expectProblem, generous, sentOf, untilInTurn } from './edge-client.ts';
import { openTestNetwork, type TestEdge } from './test-edge.ts';

describe('the edge of the containers', () => {
  let network: Awaited<ReturnType<typeof openTestNetwork>>;
  let edge: TestEdge;
  beforeAll(async () => {
    network = await openTestNetwork();
    const [first, ...gateways] = await Promise.all([network.startEdge(), network.startGateway()]);
    edge = first;
    await untilInTurn(edge, gateways);
  });
  afterAll(() => network.close());

  const get = (path: string, headers: Record<string, string> = {}) => ask(edge.port, path, { headers });
  const lineOf = async (requestId: string) => (await edge.lines()).find((line) => line['requestId'] === requestId);

  it('when a client claims to be others, the gateway hears of none of it', async () => {
    const claims = {
      'x-forwarded-for': '6.6.6.6',
      'x-forwarded-proto': 'https',
      'x-forwarded-host': 'evil.example',
      'x-deadline': '1',
      'dapr-api-token': 'guessed',
      'dapr-caller-app-id': 'orders',
      dapr_caller_app_id: 'orders',
      'dapr-app-id': 'payments',
      'dapr-stream': 'true',
      te: 'trailers',
      connection: 'close, upgrade',
      upgrade: 'h2c',
    };
    const sent = sentOf(await get('/?code=1', { ...claims, host: 'shop.example:81', authorization: 'Bearer t' }));
    expect(sent).toMatchObject({ host: 'shop.example:81', 'x-forwarded-proto': 'http', authorization: 'Bearer t' });
    expect(sent['x-forwarded-for']).toMatch(/^[\d.]+$/);
    expect(sent['x-forwarded-for']).not.toBe('6.6.6.6');
    expect(Object.keys(sent).filter((name) => /dapr|^te$|upgrade|^connection|host$|deadline/.test(name))).toEqual([
      'host',
    ]);
  });

  it('when a client sends sane ids they go on, when not the edge makes its own, and the log has them and no query', async () => {
    const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    const given = { 'x-request-id': 'my:id-1', traceparent };
    expect(sentOf(await get('/orders?code=secret', given))).toMatchObject(given);
    await vi.waitFor(async () => expect(await lineOf('my:id-1')).toBeDefined(), generous);
    const line = z.looseObject({
      upstream: z.string(),
      time: z.string(),
      durationSeconds: z.number(),
      bytes: z.number(),
    });
    const { time, upstream, ...fields } = line.parse(await lineOf('my:id-1'));
    expect(time).toMatch(/^\d{4}-\d\d-\d\dT/);
    expect(upstream).toMatch(/^[\d.]+:8080$/);
    const simple = { method: 'GET', path: '/orders', status: 200, upstreamStatus: '200', tls: '' };
    expect(fields).toMatchObject({ ...simple, traceId: 'a'.repeat(32) });
    expect(JSON.stringify(await edge.lines())).not.toContain('secret');
    for (const bad of ['0'.repeat(32), 'A'.repeat(32), 'a'.repeat(31)]) {
      const sent = sentOf(await get('/', { 'x-request-id': 'my id', traceparent: `00-${bad}-${'b'.repeat(16)}-01` }));
      const id = sent['x-request-id'] ?? '';
      expect(id).toMatch(/^[0-9a-f]{32}$/);
      expect(sent['traceparent']).toBe(`00-${id}-${id.slice(16)}-01`);
    }
  });

  it('when nginx refuses a request by itself, the answer has the form of the gateway; the gateway is let speak', async () => {
    const body = 'x'.repeat(90_000);
    expectProblem(await ask(edge.port, '/', { method: 'POST', body }), 'content-too-large');
    expectProblem(await get(`/${'x'.repeat(9_000)}`), 'uri-too-long');
    expectProblem(await get('/', { cookie: 'x'.repeat(9_000) }), 'header-fields-too-large');
    expectProblem(await ask(edge.port, '/', { method: 'TRACE' }), 'bad-request');
    expectProblem(await ask(edge.tlsPort, '/'), 'bad-request');
    expectProblem(await get('/edge/problem'), 'not-found');
    const socket = connect(edge.port, '127.0.0.1').end('what is this\r\n\r\n');
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 400 [^]*problem\+json[^]*"code":"bad-request"/);
    const missing = await get('/missing');
    expect([missing.status, echoOf(missing).url, missing.headers['x-request-id']]).toEqual([
      404,
      '/missing',
      undefined,
    ]);
  });

  it('when it is asked over TLS, it takes 1.2 and 1.3 and asks for nothing but HTTPS from now on, except on localhost', async () => {
    const ca = await readFile(join(network.folder, 'ca.pem'), 'utf8');
    const over = (version: 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3', host: string) => {
      const options = { ca, servername: 'localhost', minVersion: version, maxVersion: version, headers: { host } };
      return ask(edge.tlsPort, '/', version === 'TLSv1.1' ? { ...options, ciphers: 'DEFAULT@SECLEVEL=0' } : options);
    };
    const hsts = 'strict-transport-security';
    expect((await over('TLSv1.2', 'shop.example')).headers[hsts]).toBe('max-age=31536000');
    const local = await over('TLSv1.3', `localhost:${edge.tlsPort}`);
    expect([local.headers[hsts], sentOf(local)['x-forwarded-proto']]).toEqual([undefined, 'https']);
    await expect(over('TLSv1.1', 'localhost')).rejects.toThrow(/protocol version/);
    expect((await get('/', { host: 'shop.example' })).headers).not.toHaveProperty(hsts);
  });

  it('when a stream of events is silent for longer than any answer may take, it stays, and each event is there at once', async () => {
    const stream = await begin(edge.port, '/api/orders/1/events');
    const next = async () => String((await once(stream, 'data'))[0]);
    expect([await next(), await next()]).toEqual(['data: 1\n\n', 'data: 2\n\n']);
    stream.destroy();
  });

  it('when one address asks too much, it is told to wait', async () => {
    const narrow = await network.startEdge({ EDGE_REQUESTS_PER_SECOND: '1' });
    const many = () => Promise.all(Array.from({ length: 10 }, () => ask(narrow.port, '/').catch(() => undefined)));
    const refused = async () => (await many()).find((answer) => answer?.status === 429);
    await expect.poll(refused, generous).toBeDefined();
    expectProblem((await refused()) ?? (await get('/')), 'rate-limited');
  });

  it('when one address has too much open, the next is told to wait until something of it has ended', async () => {
    const narrow = await network.startEdge({ EDGE_CONNECTIONS_PER_ADDRESS: '2' });
    const openStream = async () => {
      const stream = await begin(narrow.port, '/api/orders/1/events');
      expect(stream.statusCode).toBe(200);
      return stream;
    };
    const streams = [await vi.waitFor(openStream, generous), await vi.waitFor(openStream, generous)];
    expectProblem(await ask(narrow.port, '/'), 'rate-limited');
    streams[0]?.destroy();
    await expect.poll(async () => (await ask(narrow.port, '/')).status, generous).toBe(200);
    streams[1]?.destroy();
  });
});
