import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createDispatch, type StreamCall } from './call.ts';
import { clientOver } from './client.ts';
import { contextHeaders, currentContext, withContext } from './context.ts';
import { DependencyError } from './errors.ts';
import { buildGrpcApp } from './grpc-app.ts';
import { grpcCalls, openChannel } from './grpc-calls.ts';
import { grpcStreams } from './grpc-streams.ts';
import { createMetrics } from './metrics.ts';
import { listenGrpc } from './listen.ts';
import { createSidecarStreams, type SidecarStreams } from './sidecar-streams.ts';
import { appToken, dispatchOver, log, principal } from './test-support/front-door.ts';
import {
  grpcThingsContract as contract,
  thingsContract,
  thingsMethods,
  type ThingsMethods,
} from './test-support/things.ts';

type Watch = ThingsMethods['watchThing'];
type Tagged = { kind: 'tagged'; tag: string };

const closing: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const step of closing.splice(0).reverse()) await step();
});

/** The things over gRPC with this stream, and a client of theirs that sends these headers. */
async function open(
  watchThing: Watch | undefined,
  headers: Record<string, string> = {},
  slowReaderMs = 10_000,
  sidecars: { app?: SidecarStreams; caller?: SidecarStreams } = {},
) {
  const stopping = new AbortController();
  const metrics = createMetrics('things');
  const authenticate = async (token?: string) =>
    token === undefined ? undefined : token === 'Bearer good' ? principal : ('invalid' as const);
  const dispatch = createDispatch({
    contract,
    methods: thingsMethods(watchThing && { watchThing }),
    authenticate,
    log,
    metrics,
  });
  const { signal } = stopping;
  const streams = sidecars.app && { streams: sidecars.app };
  const app = buildGrpcApp({ contract, dispatch, appToken, slowReaderMs, stopping: signal, ...streams });
  const listening = await listenGrpc(app, 0);
  const channel = openChannel(listening.port);
  closing.push(
    () => (stopping.abort(), listening.close()),
    () => channel.close(),
  );
  const to = [channel, 'things', contract.proto] as const;
  const more = { 'dapr-caller-app-id': 'gateway', ...headers };
  const token = headers['dapr-api-token'] ?? appToken;
  const client = clientOver(
    contract,
    grpcCalls(...to, token),
    grpcStreams(...to, token, { headers: more, ...(sidecars.caller && { open: sidecars.caller }) }),
  );
  const openStreams = async () => (await metrics.streamsOpen.get()).values.map(({ value }) => value).join();
  return { client, stopping, listening, channel, openStreams };
}

async function allOf<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const one of stream) all.push(one);
  return all;
}

const thing = { thingId: 'x' };
const reasonOf = async (stream: AsyncIterable<unknown>) =>
  allOf(stream).then(
    () => 'none',
    (error: unknown) => (error instanceof DependencyError ? `${error.reason} ${error.message}` : error),
  );

/** Answers once and then waits until nobody follows; `left` tells when its work has ended. */
function waitingWatch() {
  const left = Promise.withResolvers<void>();
  const watch: Watch = async function* (_request, { signal }) {
    try {
      yield { kind: 'tagged', tag: 'first' };
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
    } finally {
      left.resolve();
    }
  };
  return { watch, left: left.promise };
}

describe('a stream', () => {
  it('when it is followed, every answer comes in order, and it ends', async () => {
    const { client, openStreams } = await open(undefined);
    const tags = [
      { kind: 'tagged', tag: 'a' },
      { kind: 'tagged', tag: 'b' },
    ];
    expect(await allOf(client.watchThing(thing))).toEqual(tags);
    await vi.waitFor(async () => expect(await openStreams()).toBe('0'), 10_000);
  });

  it.each([
    ['of another token', { 'dapr-api-token': 'another' }, 'not from the sidecar'],
    ['of a caller that is not listed', { 'dapr-caller-app-id': 'orders' }, 'this caller is not listed'],
  ])('when it is %s, it is refused like any call', async (_, headers, text) => {
    const { client } = await open(undefined, headers);
    expect(await reasonOf(client.watchThing(thing))).toContain(text);
  });

  it('when its request has another shape, the caller is told which field', async () => {
    const { client } = await open(undefined);
    expect(await reasonOf(client.watchThing({ thingId: '' }))).toContain('/thingId');
  });

  it('when the token does not hold, that is its only answer', async () => {
    const { client } = await open(undefined, { authorization: 'Bearer bad' });
    expect(await allOf(client.watchThing(thing))).toEqual([{ kind: 'unauthenticated' }]);
  });

  it('when its work fails, what came before has come, and nothing of ours is told', async () => {
    const { client, openStreams } = await open(async function* () {
      yield { kind: 'tagged', tag: 'a' };
      throw new Error('password=hunter2');
    });
    const got: unknown[] = [];
    const follow = async () => {
      for await (const answer of client.watchThing(thing)) got.push(answer);
    };
    await expect(follow()).rejects.toThrow('things: failed (internal)');
    expect(got).toEqual([{ kind: 'tagged', tag: 'a' }]);
    await vi.waitFor(async () => expect(await openStreams()).toBe('0'), 10_000);
  });

  it('when there is no database connection for it, the caller is told to come again', async () => {
    const { client } = await open(async function* () {
      yield await Promise.reject<Tagged>(new Error('timeout exceeded when trying to connect'));
    });
    expect(await allOf(client.watchThing(thing))).toEqual([{ kind: 'overloaded', retryAfterMs: 1_000 }]);
  });

  it('when the deadline of the call passes after the first answer, the stream goes on, and its work has no deadline', async () => {
    let passedOn: Record<string, string> = {};
    const deadline = Date.now() + 2_000;
    const { client } = await open(async function* () {
      passedOn = contextHeaders(currentContext());
      yield { kind: 'tagged', tag: 'a' };
      await delay(deadline + 50 - Date.now());
      yield { kind: 'tagged', tag: 'b' };
    });
    const context = { requestId: 'r-1', traceparent: '', deadline };
    const got = await withContext(context, () => allOf(client.watchThing(thing)));
    expect(got).toHaveLength(2);
    expect(passedOn).toMatchObject({ 'x-request-id': 'r-1' });
    expect(passedOn).not.toHaveProperty('x-deadline');
  });

  it('when no answer comes in time, that is a deadline', async () => {
    const { client } = await open(async function* (_request, { signal }) {
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      yield* [];
    });
    expect(await reasonOf(client.watchThing(thing, { timeoutMs: 50 }))).toContain('deadline');
  });
});

describe('whoever follows a stream', () => {
  it('when he leaves, by signal or by leaving the loop, the work of it ends', async () => {
    for (const way of ['signal', 'loop']) {
      const { watch, left } = waitingWatch();
      const { client, openStreams } = await open(watch);
      const gone = new AbortController();
      for await (const _ of client.watchThing(thing, { signal: gone.signal })) {
        if (way === 'loop') break;
        gone.abort();
      }
      await left;
      await vi.waitFor(async () => expect(await openStreams()).toBe('0'), 10_000);
    }
  });

  it('when he has left before it began, nobody is asked', async () => {
    const { client, openStreams } = await open(undefined);
    expect(await allOf(client.watchThing(thing, { signal: AbortSignal.abort() }))).toEqual([]);
    expect(await openStreams()).toBe('');
  });

  it('when he does not read, only so much is made as is under way, and the stream ends for him', async () => {
    let made = 0;
    const ended = Promise.withResolvers<void>();
    const big = 'x'.repeat(64 * 1_024);
    const watch = async function* (_request: unknown, _call: StreamCall): AsyncGenerator<Tagged> {
      try {
        for (; made < 10_000; made++) yield { kind: 'tagged', tag: big };
      } finally {
        ended.resolve();
      }
    };
    const { client } = await open(watch, {}, 200);
    const following = client.watchThing(thing)[Symbol.asyncIterator]();
    await following.next();
    await ended.promise;
    expect(made).toBeLessThan(100);
    const rest = async () => {
      while (!(await following.next()).done);
    };
    await expect(rest()).rejects.toThrow('read too slowly');
  });
});

describe('a service that stops', () => {
  it('when streams are open, they end as unreachable at once, so that the server can close', async () => {
    const { watch, left } = waitingWatch();
    const { client, stopping, listening } = await open(watch);
    const following = client.watchThing(thing)[Symbol.asyncIterator]();
    await following.next();
    stopping.abort();
    await expect(following.next()).rejects.toThrow('things: unreachable (stopping)');
    await left;
    await listening.close();
  });

  it('when a stream is asked for all the same, there is none', async () => {
    const { client, stopping } = await open(undefined);
    stopping.abort();
    expect(await reasonOf(client.watchThing(thing))).toContain('unreachable');
  });
});

describe('a sidecar that goes', () => {
  it('when streams are open, they end on either side of it; when none are, it is not even asked', async () => {
    let [asked, going] = [0, false];
    const sidecar = createSidecarStreams(async () => ((asked += 1), going));
    const { watch } = waitingWatch();
    for (const side of ['app', 'caller'] as const) {
      const { client } = await open(watch, {}, 10_000, { [side]: sidecar });
      const following = client.watchThing(thing)[Symbol.asyncIterator]();
      await following.next();
      await vi.waitFor(() => expect(asked).toBeGreaterThan(0), 20_000);
      going = true;
      await expect(following.next()).rejects.toThrow('things: unreachable');
      going = false;
      asked = 0;
    }
    vi.useFakeTimers();
    await vi.advanceTimersByTimeAsync(10_000);
    vi.useRealTimers();
    expect(asked).toBe(0);
  });
});

describe('a contract with a stream', () => {
  it('when it is one over HTTP, the service does not start', () => {
    const { proto: _, ...overHttp } = contract;
    const deps = {
      methods: thingsMethods(),
      authenticate: async () => undefined,
      log,
      metrics: createMetrics('things'),
    };
    expect(() => createDispatch({ ...deps, contract: overHttp })).toThrow('carries no stream: watchThing');
    expect(() => createDispatch({ ...deps, contract: thingsContract })).not.toThrow();
  });

  it('when its stream is called where none can be carried, that is a defect and not an answer', async () => {
    const client = clientOver(contract, async () => ({ kind: 'not-found' }));
    await expect(allOf(client.watchThing(thing))).rejects.toThrow('carries none');
    const outcome = await dispatchOver()('watchThing', {
      context: { requestId: 'r', traceparent: '' },
      callerService: 'gateway',
      idempotencyKey: undefined,
      request: thing,
    });
    expect(outcome.kind).toBe('stream');
  });
});

describe('a connection that breaks', () => {
  it('when it does so in the middle of a stream, the service is unreachable', async () => {
    const { watch } = waitingWatch();
    const server = buildGrpcApp({ contract, dispatch: dispatchOver({ watchThing: watch }), appToken });
    const listening = await listenGrpc(server, 0);
    const channel = openChannel(listening.port);
    closing.push(() => channel.close());
    const headers = { 'dapr-caller-app-id': 'gateway' };
    const streams = grpcStreams(channel, 'things', contract.proto, appToken, { headers });
    const following = streams('watchThing', thing, {})[Symbol.asyncIterator]();
    await following.next();
    server.forceShutdown();
    await expect(following.next()).rejects.toThrow(/unreachable/);
  });
});
