import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, vi } from 'vitest';
import { createMetrics } from './metrics.ts';
import { closeServer, failedChecks, startOps, type Check } from './ops.ts';
import { listenHttp } from './listen.ts';

describe('failedChecks', () => {
  it('when checks fail, throw or hang, they are named after a second at most', async () => {
    vi.useFakeTimers();
    const failed = failedChecks({
      sound: async () => true,
      no: async () => false,
      throws: () => Promise.reject(new Error('away')),
      hangs: () => new Promise(() => undefined),
    });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await failed).toEqual(['no', 'throws', 'hangs']);
    vi.useRealTimers();
  });
});

describe('the ops port', () => {
  it('when asked, it says whether the process lives, the service is ready, and how it does', async () => {
    let checks: Record<string, Check> = { started: async () => false };
    const server = await startOps({ port: 0, checks: () => checks, metrics: createMetrics('things') });
    const { port } = server.address() as AddressInfo;
    const get = async (path: string) => {
      const response = await fetch(`http://127.0.0.1:${port}${path}`);
      return { status: response.status, text: await response.text() };
    };
    expect(await get('/healthz/live')).toMatchObject({ status: 200 });
    expect(await get('/healthz/ready')).toEqual({ status: 503, text: '{"status":"not-ready","failed":["started"]}' });
    checks = {};
    expect(await get('/healthz/ready')).toMatchObject({ status: 200 });
    expect((await get('/metrics')).text).toContain('sidecart_inbox_failed_count{service="things"} 0');
    expect(await get('/')).toMatchObject({ status: 404 });
    await closeServer(server);
  });
});

describe('closing a server', () => {
  it('when an answer is under way, it is finished first, and nothing new is taken', async () => {
    const [asked, mayAnswer] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const listening = await listenHttp((_request, response) => {
      asked.resolve();
      void mayAnswer.promise.then(() => response.end('done'));
    }, 0);
    const answer = fetch(`http://127.0.0.1:${listening.port}/`).then((response) => response.text());
    await asked.promise;
    const closed = listening.close();
    await expect(fetch(`http://127.0.0.1:${listening.port}/`)).rejects.toThrow();
    mayAnswer.resolve();
    expect(await answer).toBe('done');
    await closed;
  });

  it('when nothing is under way, idle connections do not hold it up', async () => {
    const server = createServer((_request, response) => void response.end('done'));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await (await fetch(`http://127.0.0.1:${port}/`)).text();
    await closeServer(server);
  });
});
