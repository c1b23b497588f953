import * as grpc from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, getThing, grpcStatus, invoke, proxied } from './raw-calls.ts';
import { appIds, startTwoApps, type Protocol, type TwoApps } from './two-apps.ts';

let two: TwoApps;
beforeAll(async () => {
  two = await startTwoApps({});
});
afterAll(() => two.close());

const callerOf = (protocol: Protocol) => two.apps[protocol === 'http' ? 'grpc' : 'http'];

describe('a call to an app over HTTP', () => {
  it('when the caller is listed, comes to the app', async () => {
    const { called } = two.apps.http;
    const before = called.length;
    const answer = await invoke(callerOf('http').daprd, appIds.http, '/getThing', 'POST', { thingId: 'x' });
    expect([answer.status, called.slice(before)]).toEqual([200, ['getThing']]);
  });

  it.each([
    ['the caller is not listed', 'POST', '/getHealth'],
    ['the caller goes round by a listed method', 'POST', '/getThing/../getHealth'],
    ['the method is not in the contract', 'POST', '/dropThing'],
    ['the verb is another', 'GET', '/getThing'],
    ['it is what daprd asks its own app', 'GET', '/dapr/subscribe'],
    ['it is the way of deliveries', 'POST', '/events/things.events'],
    ['it is the root', 'POST', '/'],
  ])('when %s, is denied by the sidecar and never comes to the app', async (_, verb, path) => {
    const { called } = two.apps.http;
    const before = called.length;
    const answer = await invoke(callerOf('http').daprd, appIds.http, path, verb);
    expect([answer.status, answer.body]).toEqual([403, expect.stringContaining('access control policy has denied')]);
    expect(called.slice(before)).toEqual([]);
  });
});

describe('a call to an app over gRPC', () => {
  it('when the caller is listed, comes to the app', async () => {
    const { called } = two.apps.grpc;
    const before = called.length;
    expect(await proxied(callerOf('grpc').daprd, getThing)).toBe(grpc.status.OK);
    expect(called.slice(before)).toEqual(['getThing']);
  });

  it.each([
    ['the caller is not listed', '/sidecart.test.v1.Things/GetHealth', grpc.status.PERMISSION_DENIED],
    ['the method is not in the contract', '/sidecart.test.v1.Things/DropThing', grpc.status.PERMISSION_DENIED],
    ['the case is another', '/sidecart.test.v1.things/getThing', grpc.status.PERMISSION_DENIED],
    ['it is the health of the server', '/grpc.health.v1.Health/Check', grpc.status.PERMISSION_DENIED],
    // The caller's own sidecar offers none of Dapr's services to its app, but for what the shared Configuration lists.
    ['it is the way of deliveries', '/dapr.proto.runtime.v1.AppCallback/OnTopicEvent', grpc.status.UNIMPLEMENTED],
  ])('when %s, is denied by a sidecar and never comes to the app', async (_, path, status) => {
    const { called, received } = two.apps.grpc;
    const before = called.length;
    expect(await proxied(callerOf('grpc').daprd, path)).toBe(status);
    expect([called.slice(before), received]).toEqual([[], []]);
  });

  it('when it comes as an HTTP invocation, is denied, whatever method it names', async () => {
    for (const path of ['/getThing', '/sidecart.test.v1.Things/GetThing/x', '/getHealth'])
      expect((await invoke(callerOf('grpc').daprd, appIds.grpc, path)).status).not.toBe(200);
    expect(two.apps.grpc.called).not.toContain('getHealth');
  });
});

describe('whoever reaches a port without its token', () => {
  it('when it is an app, is refused', async () => {
    const { http, grpc: other } = two.apps;
    const before = [http.called.length, other.called.length];
    for (const token of [undefined, 'guessed', http.daprd.apiToken])
      expect((await ask(http.port, '/getThing', token === undefined ? {} : { token })).status).toBe(401);
    expect(await grpcStatus(other.port, getThing, {})).not.toBe(grpc.status.OK);
    const guessed = { 'dapr-api-token': other.daprd.apiToken };
    expect(await grpcStatus(other.port, getThing, guessed)).toBe(grpc.status.UNAUTHENTICATED);
    expect([http.called.length, other.called.length]).toEqual(before);
  });

  it('when it is a sidecar, is refused', async () => {
    const { httpPort, grpcPort } = two.apps.http.daprd;
    const path = `/v1.0/invoke/${appIds.grpc}/method/getThing`;
    expect((await ask(httpPort, path)).status).toBe(401);
    expect((await ask(httpPort, path, { token: two.apps.http.appToken })).status).toBe(401);
    expect(await grpcStatus(grpcPort, getThing, { 'dapr-app-id': appIds.grpc })).toBe(grpc.status.UNAUTHENTICATED);
  });
});
