import { once } from 'node:events';
import { connect as connectTcp, createServer } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import * as grpc from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { grpcCalls, openChannel } from '../_chassis/grpc-calls.ts';
import { waitUntilReady } from '../../tools/mesh/wait.ts';
import { component, makeDaprdHome, startDaprd, type DaprdHome } from './daprd.ts';
import { getThing, invoke, proxied } from './raw-calls.ts';
import { appIds, contracts, startTwoApps, type Protocol, type TwoApps } from './two-apps.ts';

let two: TwoApps;
beforeAll(async () => {
  two = await startTwoApps({});
});
afterAll(() => two.close());

const callerOf = (protocol: Protocol) => two.apps[protocol === 'http' ? 'grpc' : 'http'];

describe('what goes from sidecar to sidecar', () => {
  const marker = 'nobody-else-may-read-this';

  it('when somebody listens in, is TLS, and nothing of a call can be read', async () => {
    const { daprd } = two.apps.http;
    const heard = { up: [] as Buffer[], down: [] as Buffer[] };
    const tap = createServer((from) => {
      const to = connectTcp(daprd.internalPort, '127.0.0.1');
      from.on('data', (bytes) => heard.up.push(Buffer.from(bytes))).on('error', () => undefined);
      to.on('data', (bytes) => heard.down.push(Buffer.from(bytes))).on('error', () => undefined);
      from.pipe(to).pipe(from);
    }).listen(0, '127.0.0.1');
    await once(tap, 'listening');
    const address = tap.address();
    if (typeof address !== 'object' || !address) throw new Error('the tap has no port');
    // Callers look it up in there each time.
    const hosts = new DatabaseSync(join(two.home.folder, '.data/nr.db'), { timeout: 5_000 });
    // The row's name and not its address, by which its sidecar renews it: one that finds its row gone ends itself.
    const rename = (from: string, to: string) =>
      expect(hosts.prepare('update hosts set app_id = ? where app_id = ?').run(to, from).changes).toBe(1);
    rename(appIds.http, 'set-aside');
    hosts
      .prepare(
        `insert into hosts (registration_id, address, app_id, namespace, last_update)
         select 'tap', ?, ?, namespace, unixepoch() from hosts where app_id = 'set-aside'`,
      )
      .run(`127.0.0.1:${address.port}`, appIds.http);
    const answer = await invoke(callerOf('http').daprd, appIds.http, '/getThing', 'POST', { thingId: marker });
    hosts.exec(`delete from hosts where registration_id = 'tap'`);
    rename('set-aside', appIds.http);
    hosts.close();
    tap.close();

    expect([answer.status, answer.body]).toEqual([200, expect.stringContaining(marker)]);
    const [up, down] = [Buffer.concat(heard.up), Buffer.concat(heard.down)];
    // A handshake record with a ClientHello in it, and a ServerHello back.
    expect([up[0], up[1], up[5]]).toEqual([0x16, 0x03, 0x01]);
    expect([down[0], down[1], down[5]]).toEqual([0x16, 0x03, 0x02]);
    for (const bytes of [up, down]) {
      expect(bytes.length).toBeGreaterThan(200);
      expect(bytes.includes(marker) || bytes.includes('getThing') || bytes.includes('PRI *')).toBe(false);
    }
  });

  it('when somebody speaks plainly to the port, gets no answer', async () => {
    const socket = connectTcp(two.apps.http.daprd.internalPort, '127.0.0.1');
    const heard: Buffer[] = [];
    await once(socket, 'connect');
    socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0');
    socket.on('data', (bytes) => heard.push(Buffer.from(bytes))).on('error', () => undefined);
    await once(socket, 'close');
    // A TLS alert at most.
    expect(Buffer.concat(heard).length).toBeLessThan(16);
  });
});

/** A sidecar more beside the app over HTTP, under an app-id that the app over gRPC lists. */
const startAnother = (home: DaprdHome) =>
  startDaprd({
    home,
    appId: appIds.http,
    protocol: 'http',
    appPort: two.apps.http.port,
    appToken: two.apps.http.appToken,
    contract: contracts.http,
    components: { pubsub: component('pubsub', 'pubsub.in-memory') },
  });

describe('a sidecar whose certificate is of another authority', () => {
  it('when it has the name of a listed caller, is refused all the same', async () => {
    const elsewhere = await makeDaprdHome({});
    const { called } = two.apps.grpc;
    const before = called.length;
    const stranger = await startAnother({ ...elsewhere, folder: two.home.folder });
    expect(await proxied(stranger, getThing)).not.toBe(grpc.status.OK);
    expect(called.slice(before)).toEqual([]);
    await stranger.stop();
    await elsewhere.remove();
    expect(await proxied(callerOf('grpc').daprd, getThing)).toBe(grpc.status.OK);
  });
});

describe('a mesh whose certificate authority is gone', () => {
  it('when it runs already, goes on; a sidecar that starts meanwhile comes once the authority is back', async () => {
    const { sentry } = two.home;
    await sentry.stop();
    const order: string[] = [];
    const coming = startAnother(two.home).then((daprd) => {
      order.push('sidecar');
      return daprd;
    });
    const channel = openChannel(callerOf('grpc').daprd.grpcPort);
    const calls = grpcCalls(channel, appIds.grpc, contracts.grpc.proto, callerOf('grpc').daprd.apiToken);
    for (let n = 0; n < 500; n++)
      expect(await calls('getThing', { thingId: 'x' }, {})).toMatchObject({ kind: 'found' });
    channel.close();
    order.push('authority');
    sentry.start();
    await waitUntilReady([sentry], { timeoutMs: 60_000 });
    const late = await coming;
    expect(order).toEqual(['authority', 'sidecar']);
    expect(await proxied(late, getThing)).toBe(grpc.status.OK);
    await late.stop();
  });
});
