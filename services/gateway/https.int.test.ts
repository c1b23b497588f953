import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { request, type RequestOptions } from 'node:https';
import { connect as connectTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type ConnectionOptions } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openEventStream } from '../_e2e/event-source.ts';
import { ensureEdgeCertificate } from '../../tools/mesh/edge-certificate.ts';
import { startTestGateway } from './test-gateway.ts';

let folder: string;
let gateway: Awaited<ReturnType<typeof startTestGateway>>;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sidecart-edge-'));
  await Promise.all(['edge', 'other'].map((name) => ensureEdgeCertificate(join(folder, name))));
  gateway = await startTestGateway({ certificate: { certificate: path('cert.pem'), key: path('key.pem') } });
});
afterAll(async () => {
  await gateway.close();
  await rm(folder, { recursive: true });
});

const path = (file: string, pair = 'edge') => join(folder, pair, file);
const caOf = (pair = 'edge') => readFile(path('ca.pem', pair), 'utf8');
const port = () => gateway.port;

/** Asks for the index on a connection of its own. */
async function get(options: RequestOptions = {}) {
  const outgoing = request({ host: '127.0.0.1', port: port(), agent: false, ca: await caOf(), ...options });
  outgoing.end();
  const [response] = (await once(outgoing, 'response')) as [import('node:http').IncomingMessage];
  let body = '';
  for await (const chunk of response) body += String(chunk);
  return { status: response.statusCode, headers: response.headers, body };
}

/** What a handshake comes to: the protocol and the certificate's fingerprint, or the error's code. */
async function handshake(options: ConnectionOptions = {}) {
  const socket = connect({ host: '127.0.0.1', port: port(), ca: await caOf(), ...options });
  try {
    await once(socket, 'secureConnect');
    return { protocol: socket.getProtocol(), fingerprint: socket.getPeerX509Certificate()?.fingerprint256 };
  } catch (error) {
    return { error: error instanceof Error && 'code' in error ? String(error.code) : '?' };
  } finally {
    socket.destroy();
  }
}
const fingerprintOf = async (pair: string) =>
  new X509Certificate(await readFile(path('cert.pem', pair))).fingerprint256;

describe('the edge over HTTPS', () => {
  it('when a client trusts the development authority, answers, and asks for nothing but HTTPS from now on', async () => {
    const { status, headers } = await get();
    expect([status, headers['strict-transport-security']]).toEqual([200, 'max-age=31536000']);
    expect(await handshake({ servername: 'localhost' })).toMatchObject({ protocol: 'TLSv1.3' });
  });

  it('when a browser asks for localhost, does not bind all its other ports to HTTPS', async () => {
    const { status, headers } = await get({ host: 'localhost', family: 4 });
    expect([status, headers['strict-transport-security']]).toEqual([200, undefined]);
  });

  it('when a client trusts another authority, is not believed', async () => {
    expect(await handshake({ ca: await caOf('other') })).toEqual({ error: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' });
  });

  it('when a client can TLS 1.2 with forward secrecy, speaks it; nothing older or weaker', async () => {
    const only = { maxVersion: 'TLSv1.2' } as const;
    expect(await handshake(only)).toMatchObject({ protocol: 'TLSv1.2' });
    for (const ciphers of ['AES128-GCM-SHA256', 'ECDHE-ECDSA-AES128-SHA256'])
      expect(await handshake({ ...only, ciphers })).toHaveProperty('error');
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    expect(await handshake(old)).toHaveProperty('error');
  });

  it('when what comes is no TLS, or nothing readable in it, goes on', async () => {
    const plain = connectTcp(port(), '127.0.0.1').on('error', () => undefined);
    plain.resume().write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
    await once(plain, 'close');
    const unreadable = connect({ host: '127.0.0.1', port: port(), ca: await caOf() });
    unreadable.write('this is not HTTP\r\n\r\n');
    let answer = '';
    for await (const chunk of unreadable) answer += String(chunk);
    expect(answer).toMatch(/^HTTP\/1\.1 400 [^]*application\/problem\+json[^]*"code":"bad-request"/);
    expect((await get()).status).toBe(200);
  });

  it('when an order is followed, its moves come as they happen, and the end is a proper one', async () => {
    const more = Promise.withResolvers<void>();
    gateway.answer(
      'orders.followOrder',
      () =>
        async function* () {
          yield { kind: 'moved', orderId: '1', version: 1, status: 'placed', at: '2026-01-01T00:00:00.000Z' };
          await more.promise;
          yield { kind: 'moved', orderId: '1', version: 2, status: 'rejected', at: '2026-01-01T00:00:00.000Z' };
          yield { kind: 'ended' };
        },
    );
    const token = `Bearer ${gateway.tokens.customer}`;
    const url = `https://127.0.0.1:${port()}/api/orders/1/events`;
    const stream = await openEventStream(url, { token, ca: await caOf() });
    await expect.poll(() => stream.events.map(({ event }) => event)).toEqual(['placed']);
    more.resolve();
    expect(await stream.ended).toBe('clean');
    expect(stream.events.map(({ event }) => event)).toEqual(['placed', 'rejected']);
  });

  it('when its files are replaced, takes them for new connections, and never half of them', async () => {
    const before = await handshake();
    await cp(path('cert.pem', 'other'), path('cert.pem'));
    await expect.poll(() => gateway.logged.join(''), { timeout: 10_000 }).toContain('the old one stays');
    expect(await handshake()).toEqual(before);
    await cp(path('key.pem', 'other'), path('key.pem'));
    const ca = await caOf('other');
    const renewed = { protocol: 'TLSv1.3', fingerprint: await fingerprintOf('other') };
    await expect.poll(() => handshake({ ca }), { timeout: 10_000 }).toEqual(renewed);
    expect((await get({ ca })).status).toBe(200);
  });
});

describe('the development certificate', () => {
  const days = 24 * 3_600_000;
  const made = async (now: number) => {
    await ensureEdgeCertificate(join(folder, 'aged'), now);
    return readFile(path('cert.pem', 'aged'), 'utf8');
  };

  it('when it is valid for a month yet, is kept, and then renewed', async () => {
    const first = await made(Date.now());
    expect(await made(Date.now() + 334 * days)).toBe(first);
    expect(await made(Date.now() + 336 * days)).not.toBe(first);
  });

  it('when its key is of another, is made anew', async () => {
    const first = await made(Date.now());
    await cp(path('key.pem', 'other'), path('key.pem', 'aged'));
    expect(await made(Date.now())).not.toBe(first);
  });
});
