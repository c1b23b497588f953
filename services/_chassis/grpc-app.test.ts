import * as grpc from '@grpc/grpc-js';
import { afterEach, describe, expect, it } from 'vitest';
import type { Consumer } from './consumer.ts';
import { currentContext } from './context.ts';
import { buildGrpcApp } from './grpc-app.ts';
import { openChannel } from './grpc-calls.ts';
import { appCallback, fromMessage, loadService, type Rpc } from './proto.ts';
import { listenGrpc } from './listen.ts';
import {
  appToken,
  describeFrontDoor,
  dispatchOver,
  noteConsumer,
  usualHeaders,
  type Door,
  type Reply,
} from './test-support/front-door.ts';
import { grpcThingsContract as contract, thingsContract, type ThingsMethods } from './test-support/things.ts';

const { status } = grpc;
const things = loadService(contract.proto.file, contract.proto.service);
const callback = loadService(appCallback.file, appCallback.service);

/** An app on a free port, and how to call any rpc of it: the message, or the status with its details. */
async function open(consumer?: Consumer, methods?: Partial<ThingsMethods>) {
  const app = buildGrpcApp({ contract, dispatch: dispatchOver(methods), consumer, appToken });
  const listening = await listenGrpc(app, 0);
  const channel = openChannel(listening.port);
  const call = (rpc: Rpc | undefined, request: object, headers: Readonly<Record<string, string>> = {}) =>
    new Promise<{ message: object } | { code: number; text: string }>((resolve) => {
      const metadata = new grpc.Metadata();
      for (const [name, value] of Object.entries(headers)) if (value !== '') metadata.set(name, value);
      channel.makeUnaryRequest(
        rpc?.path ?? '/sidecart.test.v1.Things/NoSuchMethod',
        (message: object) => rpc?.requestSerialize(message) ?? Buffer.alloc(0),
        (bytes: Buffer) => rpc?.responseDeserialize(bytes) ?? {},
        request,
        metadata,
        (error, message) => {
          if (error) resolve({ code: error.code, text: `${error.details} ${JSON.stringify(error.metadata.toJSON())}` });
          else resolve({ message: message ?? {} });
        },
      );
    });
  const close = async () => {
    channel.close();
    await listening.close();
  };
  return { call, close };
}

const kinds: Readonly<Record<number, Exclude<Reply['kind'], 'answer'>>> = {
  [status.UNAUTHENTICATED]: 'not-from-sidecar',
  [status.PERMISSION_DENIED]: 'not-allowed',
  [status.INVALID_ARGUMENT]: 'bad-request',
  [status.INTERNAL]: 'fault',
};

describeFrontDoor('gRPC', async (methods): Promise<Door> => {
  const app = await open(undefined, methods);
  return {
    close: app.close,
    async call(method, request, headers) {
      const reply = await app.call(things[method], request as object, { ...usualHeaders, ...headers });
      if ('message' in reply) return { kind: 'answer', answer: fromMessage(reply.message) };
      return { kind: kinds[reply.code] ?? 'other', text: reply.text };
    },
  };
});

let app: Awaited<ReturnType<typeof open>> | undefined;
afterEach(() => app?.close());

describe('an rpc', () => {
  it('when it is none of ours, it is unimplemented', async () => {
    app = await open();
    expect(await app.call(undefined, {}, usualHeaders)).toMatchObject({ code: status.UNIMPLEMENTED });
  });

  it('when the sidecar has added its span to that of the caller, it works under that', async () => {
    const traceId = 'a'.repeat(32);
    let seen = '';
    const app = await open(undefined, {
      getThing: async () => {
        seen = currentContext()?.traceparent ?? '';
        return { kind: 'not-found' };
      },
    });
    const traceparent = `00-${traceId}-${'1'.repeat(16)}-01, 00-${traceId}-${'2'.repeat(16)}-01`;
    await app.call(things['getThing'], { thingId: '1' }, { ...usualHeaders, traceparent });
    await app.close();
    expect(seen).toMatch(new RegExp(`^00-${traceId}-[0-9a-f]{16}-01$`));
  });

  it('when the contract names one that the proto lacks, or no proto, the app does not start', () => {
    const { getThing } = contract.methods;
    const build = (own: object) => () =>
      buildGrpcApp({ contract: { ...contract, ...own }, dispatch: dispatchOver(), appToken });
    expect(build({ methods: { ...contract.methods, getOther: getThing } })).toThrow('no rpc for getOther');
    expect(build({ methods: { ...contract.methods, getThing: { ...getThing, streams: true } } })).toThrow(
      'getThing as a',
    );
    expect(() => buildGrpcApp({ contract: thingsContract, dispatch: dispatchOver(), appToken })).toThrow('no proto');
  });
});

describe('a delivery over gRPC', () => {
  const text = (stringValue: string) => ({ stringValue });
  const event = {
    id: 'id-1',
    source: 'urn:sidecart:things',
    type: 'com.sidecart.things.thing.kept.v1',
    specVersion: '1.0',
    dataContentType: 'application/json',
    topic: 'things.events',
    pubsubName: 'pubsub',
    data: Buffer.from('{"n":1}'),
    extensions: {
      fields: {
        subject: text('s'),
        tenant: text('main'),
        time: text('2026-01-01T00:00:00Z'),
        traceparent: text('00-aa-bb-00'),
        topic: text('another'),
        count: { numberValue: 1 },
      },
    },
  };
  const fromSidecar = { 'dapr-api-token': appToken };
  const deliver = async (request: object = event, headers: Record<string, string> = fromSidecar) => {
    const reply = await app?.call(callback['onTopicEvent'], request, headers);
    return reply && 'message' in reply ? reply.message : reply?.code;
  };

  it('when it comes from the sidecar, the consumer gets the whole envelope', async () => {
    const { consumer, delivered } = noteConsumer();
    app = await open(consumer);
    expect(await deliver()).toEqual({ status: 'SUCCESS' });
    expect(delivered).toEqual([
      {
        topic: 'things.events',
        message: {
          specversion: '1.0',
          id: 'id-1',
          source: 'urn:sidecart:things',
          type: 'com.sidecart.things.thing.kept.v1',
          topic: 'things.events',
          subject: 's',
          tenant: 'main',
          time: '2026-01-01T00:00:00Z',
          traceparent: '00-aa-bb-00',
          count: undefined,
          data: { n: 1 },
        },
      },
    ]);
  });

  it('when its data cannot be read, the consumer decides about an envelope without data', async () => {
    const { consumer, delivered } = noteConsumer('DROP');
    app = await open(consumer);
    expect(await deliver({ ...event, data: Buffer.from('{"n":') })).toEqual({ status: 'DROP' });
    expect(delivered[0]?.message).toMatchObject({ id: 'id-1', data: undefined });
  });

  it.each(['RETRY', 'DROP'] as const)('when the consumer says %s, the sidecar is told so', async (say) => {
    app = await open(noteConsumer(say).consumer);
    expect(await deliver()).toEqual({ status: say });
  });

  it('when a peer has made it up by proxying, or it does not come from the sidecar, it is refused', async () => {
    const { consumer, delivered } = noteConsumer();
    app = await open(consumer);
    const denied = status.PERMISSION_DENIED;
    expect(await deliver(event, { ...fromSidecar, 'dapr-caller-app-id': 'orders' })).toBe(denied);
    expect(await deliver(event, {})).toBe(status.UNAUTHENTICATED);
    expect(delivered).toEqual([]);
  });

  it('when nothing is subscribed to, it is dropped', async () => {
    app = await open();
    expect(await deliver()).toEqual({ status: 'DROP' });
  });

  it('when the sidecar asks what to subscribe to, which it does without its token, it is told', async () => {
    app = await open(noteConsumer().consumer);
    expect(await app.call(callback['listTopicSubscriptions'], {})).toMatchObject({
      message: {
        subscriptions: [
          {
            pubsubName: 'pubsub',
            topic: 'things.events',
            routes: { default: '/events/things.events' },
            deadLetterTopic: 'reader.dead-letters',
          },
        ],
      },
    });
    expect(await app.call(callback['listInputBindings'], {})).toEqual({ message: { bindings: [] } });
  });
});
