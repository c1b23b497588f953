import { afterEach, describe, expect, it } from 'vitest';
import type { Consumer } from './consumer.ts';
import { buildHttpApp } from './http-app.ts';
import { listenHttp, type Listening } from './listen.ts';
import {
  appToken,
  describeFrontDoor,
  dispatchOver,
  log,
  noteConsumer,
  usualHeaders,
  type Door,
  type Reply,
} from './test-support/front-door.ts';
import type { ThingsMethods } from './test-support/things.ts';

const kinds: Readonly<Record<number, Exclude<Reply['kind'], 'answer'>>> = {
  400: 'bad-request',
  401: 'not-from-sidecar',
  403: 'not-allowed',
  500: 'fault',
};

const listen = (consumer?: Consumer, methods?: Partial<ThingsMethods>) =>
  listenHttp(buildHttpApp({ dispatch: dispatchOver(methods), consumer, appToken, log }), 0);

describeFrontDoor('HTTP', async (methods): Promise<Door> => {
  const listening = await listen(undefined, methods);
  const { port } = listening;
  return {
    close: () => listening.close(),
    async call(method, request, headers) {
      const set = Object.entries({ ...usualHeaders, ...headers }).filter(([, value]) => value !== '');
      const body = JSON.stringify(request);
      const response = await fetch(`http://127.0.0.1:${port}/${method}`, { method: 'POST', body, headers: set });
      if (response.status === 200) return { kind: 'answer', answer: await response.json() };
      const text = `${JSON.stringify([...response.headers])} ${await response.text()}`;
      return { kind: kinds[response.status] ?? 'other', text };
    },
  };
});

let listening: Listening | undefined;
afterEach(() => listening?.close());

const fromSidecar = { 'dapr-api-token': appToken };
const send = (path: string, init: RequestInit = {}) =>
  fetch(`http://127.0.0.1:${listening?.port ?? 0}${path}`, { method: 'POST', headers: fromSidecar, ...init });

describe('a path over HTTP', () => {
  it('when it names no method, also not one that every object has, it is 400', async () => {
    listening = await listen();
    for (const path of ['/noSuchMethod', '/constructor', '/__proto__', '/toString', '/hasOwnProperty']) {
      const response = await send(path, { headers: usualHeaders, body: '{}' });
      expect([path, response.status]).toEqual([path, 400]);
    }
  });

  it('when it is none of ours, it is 404 without a word about what serves it', async () => {
    listening = await listen();
    for (const init of [{ method: 'GET' }, { method: 'PUT' }]) {
      const response = await send('/getThing', init);
      expect([response.status, response.headers.get('x-powered-by')]).toEqual([404, null]);
    }
    expect((await send('/dapr/subscribe', { method: 'GET' })).status).toBe(404);
  });

  it('when a body cannot be read, is too long or strangely encoded, the call is a 4xx', async () => {
    listening = await listen();
    const statusOf = async (body: string, headers = {}) =>
      (await send('/getThing', { body, headers: { ...usualHeaders, ...headers } })).status;
    expect(await statusOf('{"thingId":')).toBe(400);
    expect(await statusOf('')).toBe(400);
    expect(await statusOf('null')).toBe(400);
    expect(await statusOf(JSON.stringify({ thingId: 'x'.repeat(300_000) }))).toBe(413);
    expect(await statusOf('{}', { 'content-encoding': 'br64' })).toBe(415);
    expect((await send('/%E0%A4%A', { headers: usualHeaders, body: '{}' })).status).toBe(400);
  });
});

describe('a delivery over HTTP', () => {
  const deliver = async (body: string, headers: Record<string, string> = {}) => {
    const response = await send('/events/things.events', { body, headers: { ...fromSidecar, ...headers } });
    return response.status === 200 ? ((await response.json()) as { status: string }).status : response.status;
  };

  it('when it comes from the sidecar, the consumer gets topic and message', async () => {
    const { consumer, delivered } = noteConsumer();
    listening = await listen(consumer);
    expect(await deliver('{"id":"1"}', { 'content-type': 'application/cloudevents+json' })).toBe('SUCCESS');
    expect(delivered).toEqual([{ topic: 'things.events', message: { id: '1' } }]);
  });

  it.each(['RETRY', 'DROP'] as const)('when the consumer says %s, the sidecar is told so', async (say) => {
    listening = await listen(noteConsumer(say).consumer);
    expect(await deliver('{}')).toBe(say);
  });

  it('when it cannot be read, it is dropped', async () => {
    const { consumer, delivered } = noteConsumer();
    listening = await listen(consumer);
    expect(await deliver('{"id":')).toBe('DROP');
    expect(await deliver(JSON.stringify({ id: 'x'.repeat(1_100_000) }))).toBe('DROP');
    expect(delivered).toEqual([]);
  });

  it('when a peer has made it up by invocation, it is refused, however it spells the path', async () => {
    const { consumer, delivered } = noteConsumer();
    listening = await listen(consumer);
    const headers = { ...fromSidecar, 'dapr-caller-app-id': 'orders' };
    expect((await send('/events/things.events', { headers, body: '{}' })).status).toBe(403);
    const others = ['/EVENTS/things.events', '/events/things.events/', '/events/things.events?y=1', '/events/x'];
    for (const path of others) expect([path, (await send(path, { headers, body: '{}' })).status]).toEqual([path, 404]);
    for (const path of ['//events/things.events', '/events%2Fthings.events'])
      expect((await send(path, { headers, body: '{}' })).status).toBeGreaterThanOrEqual(400);
    expect(delivered).toEqual([]);
  });

  it('when it does not come from the sidecar, it is 401', async () => {
    listening = await listen(noteConsumer().consumer);
    expect(await deliver('{}', { 'dapr-api-token': 'another' })).toBe(401);
  });

  it('when the sidecar asks what to subscribe to, each topic comes with the dead-letter topic', async () => {
    listening = await listen(noteConsumer().consumer);
    expect(await (await send('/dapr/subscribe', { method: 'GET' })).json()).toEqual([
      {
        pubsubname: 'pubsub',
        topic: 'things.events',
        route: '/events/things.events',
        deadLetterTopic: 'reader.dead-letters',
      },
    ]);
  });
});
