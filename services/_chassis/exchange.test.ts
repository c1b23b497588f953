import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Pool } from 'undici';
import { afterEach, describe, expect, it } from 'vitest';
import { OutOfTime, exchange } from './exchange.ts';

const ends: (() => unknown)[] = [];
afterEach(() => Promise.all(ends.splice(0).map((end) => end())));

/** A server that answers so, and a pool of one connection to it. */
async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const pool = new Pool(`http://127.0.0.1:${port}`, { connections: 1 });
  ends.push(
    () => pool.destroy(),
    () => server.closeAllConnections(),
    () => server.close(),
  );
  return { server, pool };
}

const get = { method: 'GET', path: '/' } as const;

describe('an exchange', () => {
  it('when an answer comes in pieces, it is given whole, with status and headers', async () => {
    const { pool } = await serve((_request, response) => {
      response.writeHead(503, { etag: '"7"' });
      response.write(Buffer.from('ä').subarray(0, 1));
      setImmediate(() => response.end(Buffer.from('ä!').subarray(1)));
    });
    const { status, headers, body } = await exchange(pool, get, 10_000);
    expect([status, headers['etag'], body]).toEqual([503, '"7"', 'ä!']);
  });

  it('when no answer comes in time, or not all of it, it ends, and the server is told', async () => {
    const ended: Promise<unknown>[] = [];
    const { pool } = await serve((request, response) => {
      ended.push(once(request.socket, 'close'));
      if (request.url === '/half') response.writeHead(200).write('half');
    });
    for (const path of ['/nothing', '/half'])
      await expect(exchange(pool, { ...get, path }, 2_000)).rejects.toBeInstanceOf(OutOfTime);
    await Promise.all(ended);
    expect(ended).toHaveLength(2);
  });

  it('when its time is over before there is a connection for it, it is never sent', async () => {
    const seen: (string | undefined)[] = [];
    const { pool } = await serve((request, response) => {
      seen.push(request.url);
      if (request.url !== '/first') response.end();
      else setTimeout(() => response.end(), 300);
    });
    const first = exchange(pool, { ...get, path: '/first' }, 10_000);
    await expect(exchange(pool, { ...get, path: '/late' }, 50)).rejects.toBeInstanceOf(OutOfTime);
    await first;
    await exchange(pool, { ...get, path: '/third' }, 10_000);
    expect(seen).toEqual(['/first', '/third']);
  });

  it('when nobody listens, it fails at once, and not for want of time', async () => {
    const { server, pool } = await serve(() => undefined);
    server.close();
    await once(server, 'close');
    const failed: unknown = await exchange(pool, get, 10_000).catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: 'ECONNREFUSED' });
  });
});
