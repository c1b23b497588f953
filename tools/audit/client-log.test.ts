import { createServer } from 'node:http';
import { once } from 'node:events';
import { mkdtemp, rm, appendFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openClientLog, readClientLog, recordingClient, type ClientLogLine } from './client-log.ts';
import { createFindings } from './findings.ts';
import { readClientSide } from './clients.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sidecart-client-log-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function readAll(file: string): Promise<ClientLogLine[]> {
  const lines: ClientLogLine[] = [];
  for await (const line of readClientLog(file)) lines.push(line);
  return lines;
}

describe('recordingClient', () => {
  it('when answers come, notes who was told what, in the order of answering', async () => {
    const server = createServer((request, response) => {
      response.writeHead(request.method === 'POST' ? 201 : 404, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ method: request.method, key: request.headers['idempotency-key'] }));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const baseUrl = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
    const file = join(folder, 'answers.jsonl');
    const log = openClientLog(file);
    const token = `x.${Buffer.from(JSON.stringify({ sub: '7', tenant: 'main' })).toString('base64url')}.x`;
    const ask = recordingClient({ baseUrl, token: async () => token, log });
    const first = await ask({ path: '/api/orders', key: 'k', body: { items: [] } });
    await ask({ path: '/api/orders', key: 'k', body: { items: [] } });
    await recordingClient({ baseUrl, log })({ path: '/api/nothing' });
    await log.written();
    const [one, two, three] = await readAll(file);
    server.close();
    await log.close();

    expect(first).toMatchObject({ status: 201, body: { method: 'POST', key: 'k' } });
    const { requestHash, bodyHash, sentAt = 0, at = 0 } = one ?? {};
    expect(one).toMatchObject({
      client: '7',
      tenant: 'main',
      method: 'POST',
      path: '/api/orders',
      key: 'k',
      status: 201,
    });
    expect(sentAt).toBeLessThanOrEqual(at);
    expect(two).toMatchObject({ requestHash, bodyHash });
    expect(three).toMatchObject({ client: 'anonymous', method: 'GET', status: 404 });
  });
});

describe('readClientLog', () => {
  it('when the last line was cut off, passes over it; when another is bad, throws', async () => {
    const file = join(folder, 'cut.jsonl');
    const line = {
      sentAt: 1,
      at: 2,
      client: '1',
      tenant: 'main',
      method: 'GET',
      path: '/',
      status: 200,
      body: {},
      bodyHash: 'x',
    };
    await appendFile(file, `${JSON.stringify(line)}\n{"sentAt":`);
    expect(await readAll(file)).toEqual([line]);
    await appendFile(file, `\n${JSON.stringify(line)}\n`);
    await expect(readAll(file)).rejects.toThrow('cut.jsonl:2 is not a line of a client log');
  });
});

describe('readClientSide', () => {
  const line = {
    sentAt: 1,
    at: 2,
    client: '1',
    tenant: 'main',
    method: 'POST',
    path: '/api/orders',
    bodyHash: 'x',
    body: {},
  };
  const look = async (...lines: Partial<ClientLogLine>[]) => {
    const findings = createFindings();
    const told = (async function* () {
      for (const one of lines) yield { ...line, status: 200, ...one };
    })();
    (await readClientSide(findings, told)).finish(() => false);
    return findings
      .all()
      .flatMap(({ invariant, violations }) => violations.map(({ problem }) => `${invariant} ${problem}`));
  };

  it('when a key is refused for what it was not looked at for, says nothing', async () => {
    const write = { method: 'PATCH', path: '/api/products/1', key: 'k', requestHash: 'r' };
    const busy = { status: 409, body: { code: 'idempotency-key-in-progress' } };
    const other = { ...write, requestHash: 'other', status: 422 };
    expect(
      await look(write, { ...write, ...busy }, { ...write, status: 503 }, { ...write, key: '"k"' }, other),
    ).toEqual([]);
    expect(await look(write, { ...write, status: 409, body: { code: 'order-not-cancellable' } })).toEqual([
      'I7 answered 200 once and 409 another time',
    ]);
    expect(await look(write, { ...other, status: 200 })).toEqual(['I7 another request was taken under the same key']);
  });

  it('when a read was sent before the write was answered, it may miss it', async () => {
    const product = { id: '1', name: 'n', category: 'c', price: { amount: 1, currency: 'EUR' } };
    const write = { method: 'PATCH', path: '/api/products/1', body: { ...product, version: 2 }, sentAt: 10, at: 20 };
    const read = { method: 'GET', path: '/api/products/1', body: { ...product, version: 1 }, at: 30 };
    expect(await look(write, { ...read, sentAt: 15 })).toEqual([]);
    expect(await look(write, { ...read, sentAt: 21 })).toEqual(['I11 1 wrote version 2, and then read version 1']);
    expect(await look(write, { ...read, sentAt: 21, client: '2' })).toEqual([]);
  });

  it('when an order was acknowledged without one in the answer, says so', async () => {
    expect(await look({ status: 201 })).toEqual(['I1 answered 1 201 with no readable order']);
  });
});
