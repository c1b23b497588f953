import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { generateSigningKey, signToken } from '../_chassis/test-support/issuer.ts';

const main = fileURLToPath(new URL('./main.ts', import.meta.url));
const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0)) await step();
});

async function listen(handler: RequestListener = () => undefined) {
  const server = createServer(handler).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return { server, port: typeof address === 'object' && address ? address.port : 0 };
}

async function freePort(): Promise<number> {
  const { server, port } = await listen();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function start(environment: Record<string, string>) {
  const child = spawn(process.execPath, [main], { env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
  cleanUp.push(() => child.kill('SIGKILL'));
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return { child, exited: once(child, 'exit'), output: () => output };
}

const environment = { APP_ID: 'gateway', DAPR_GRPC_PORT: '1', DAPR_API_TOKEN: 'api-token', APP_API_TOKEN: 'app-token' };

/** One whose key has to be asked for. */
async function strangersToken(): Promise<string> {
  const { privateKey } = await generateSigningKey();
  return signToken(privateKey, { sub: '1', roles: [] });
}

describe('main', () => {
  it('when told to stop, it is not ready, finishes what is in flight, closes its connection and exits 0', async () => {
    const asked = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    const sidecar = await listen((request, response) => {
      if (request.url === '/v1.0/healthz/outbound') response.writeHead(204).end();
      else if (request.url === '/v1.0/invoke/products/method/getProduct') {
        asked.resolve();
        void release.promise.then(() => response.end('{"kind":"not-found"}'));
      } else response.writeHead(500).end('{"errorCode":"ERR_DIRECT_INVOKE"}');
    });
    cleanUp.push(() => sidecar.server.close());
    const [appPort, opsPort] = [await freePort(), await freePort()];
    const ports = { APP_PORT: String(appPort), OPS_PORT: String(opsPort), DAPR_HTTP_PORT: String(sidecar.port) };
    const gateway = start({ ...environment, ...ports });
    const ready = () =>
      fetch(`http://127.0.0.1:${opsPort}/healthz/ready`).then(
        (r) => r.status,
        () => 0,
      );
    await expect.poll(ready, { timeout: 25_000 }).toBe(200);

    const away = await fetch(`http://127.0.0.1:${appPort}/api/inventory/1`);
    expect([away.status, await away.json()]).toMatchObject([503, { detail: 'Not reached: inventory.' }]);
    const headers = { authorization: `Bearer ${await strangersToken()}` };
    const unknown = await fetch(`http://127.0.0.1:${appPort}/api/products/1`, { headers });
    expect([unknown.status, await unknown.json()]).toMatchObject([503, { detail: 'Not reached: auth.' }]);
    const answer = fetch(`http://127.0.0.1:${appPort}/api/products/1`);
    await asked.promise;
    gateway.child.kill('SIGTERM');
    await expect.poll(ready).toBe(503);
    release.resolve();
    const { status, headers: answered } = await answer;
    expect([status, answered.get('connection')]).toEqual([404, 'close']);
    expect(await gateway.exited).toEqual([0, null]);
    expect(gateway.output()).toContain('"msg":"stopped"');
    expect(gateway.output()).not.toMatch(/api-token|app-token/);
  });

  it('when the environment is not usable, it ends and names every bad variable', async () => {
    const gateway = start({ ...environment, APP_PORT: 'eighty', GATEWAY_DEADLINE_MS: '0' });
    expect(await gateway.exited).toEqual([1, null]);
    for (const name of ['APP_PORT', 'OPS_PORT', 'DAPR_HTTP_PORT', 'GATEWAY_DEADLINE_MS']) {
      expect(gateway.output()).toContain(name);
    }
    expect(gateway.output()).not.toContain('eighty');
  });
});
