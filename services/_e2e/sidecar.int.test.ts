import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createConnect } from '../_chassis/client.ts';
import { grpcCalls, openChannel } from '../_chassis/grpc-calls.ts';
import { withContext } from '../_chassis/context.ts';
import { createEnvelope } from '../_chassis/envelope.ts';
import { DependencyError } from '../_chassis/errors.ts';
import { appCallback } from '../_chassis/proto.ts';
import { grpcThingsContract, thingsContract } from '../_chassis/test-support/things.ts';
import { startTwoApps, type Protocol, type TwoApps } from './two-apps.ts';

const { ThingKept } = thingsContract.events;
const protocols = ['http', 'grpc'] as const;

let two: TwoApps;
beforeAll(async () => {
  two = await startTwoApps({ aSecret: 'of ours' });
});
afterAll(() => two.close());

/** Who calls an app of this protocol in these tests. */
const callerOf = (protocol: Protocol) => two.apps[protocol === 'http' ? 'grpc' : 'http'];
const sidecarOf = (protocol: Protocol) => two.apps[protocol].daprd.sidecar;
const reasonOf = (failing: Promise<unknown>) =>
  failing.then(
    () => 'none',
    (error: unknown) => (error instanceof DependencyError ? error.reason : error),
  );

describe.each(protocols)('events to an app over %s', (protocol) => {
  const event = (subject: string, n = 0) =>
    createEnvelope('things', { ...ThingKept, subject, tenant: 'main', data: { n } });

  it('when one is published, it arrives as it was sent: id, subject, tenant, time, trace and data', async () => {
    const { received } = two.apps[protocol];
    const sent = event('of one');
    expect(await sidecarOf(protocol).publish(ThingKept.topic, [sent])).toBe(0);
    await vi.waitFor(() => expect(received.filter((one) => one.subject === 'of one')).toEqual([sent]), 10_000);
  });

  it('when 100 are published at once, each arrives once with its own trace', async () => {
    const { received } = two.apps[protocol];
    const sent = Array.from({ length: 100 }, (_, n) => event('of many', n));
    expect(await sidecarOf(protocol).publish(ThingKept.topic, sent)).toBe(0);
    const keysOf = (events: typeof sent) => events.map(({ id, traceparent }) => `${id} ${traceparent}`).sort();
    const arrived = () => keysOf(received.filter((one) => one.subject === 'of many'));
    await vi.waitFor(() => expect(arrived()).toEqual(keysOf(sent)), 10_000);
  });

  it('when the work they belong to has used up its time, they are not published, and it is said', async () => {
    const late = { requestId: 'r', traceparent: '', deadline: Date.now() - 1 };
    const publish = () => sidecarOf(protocol).publish(ThingKept.topic, [event('late')]);
    expect(await reasonOf(withContext(late, publish))).toBe('deadline');
  });
});

describe.each(protocols)('a sidecar of an app over %s', (protocol) => {
  it('when it has asked its app already, it tells a later one to which topics it has subscribed', async () => {
    const isSubscribed = (...topics: string[]) => sidecarOf(protocol).subscribesTo(topics);
    await expect.poll(() => isSubscribed(ThingKept.topic)).toBe(true);
    expect(await isSubscribed(ThingKept.topic, 'other.events')).toBe(false);
  });
});

describe('a delivery that a peer has made up', () => {
  const made = createEnvelope('things', { ...ThingKept, subject: 'made up', tenant: 'main', data: { n: 0 } });

  it('when it comes by invocation over HTTP, it is refused', async () => {
    const path = `/events/${ThingKept.topic}`;
    const answer = callerOf('http').daprd.sidecar.invoke('inventory', path, { body: JSON.stringify(made) });
    expect(await reasonOf(answer)).toBe('failed');
    expect(two.apps.http.received).not.toContainEqual(expect.objectContaining({ subject: 'made up' }));
  });

  it('when it comes by proxying over gRPC, it is refused', async () => {
    const { grpcPort, apiToken } = callerOf('grpc').daprd;
    const channel = openChannel(grpcPort);
    const deliver = grpcCalls(channel, 'orders', appCallback, apiToken);
    expect(await reasonOf(deliver('onTopicEvent', { ...made, specVersion: '1.0', data: Buffer.from('{}') }, {}))).toBe(
      'failed',
    );
    channel.close();
    expect(two.apps.grpc.received).not.toContainEqual(expect.objectContaining({ id: made.id }));
  });
});

describe.each([
  ['memory', 'http'],
  ['Redis', 'grpc'],
] as const)('state in %s', (store, protocol) => {
  const ttlSeconds = 60;

  it('when nobody wrote, there is nothing; the first write wins, and a second one without its ETag loses', async () => {
    const sidecar = sidecarOf(protocol);
    expect(await sidecar.getState(`${store}/first`)).toBeUndefined();
    expect(await sidecar.setState(`${store}/first`, { n: 1 }, { ttlSeconds })).toBe(true);
    expect(await sidecar.setState(`${store}/first`, { n: 2 }, { ttlSeconds })).toBe(false);
    expect((await sidecar.getState(`${store}/first`))?.value).toEqual({ n: 1 });
  });

  it('when two writers have read the same value, only the first of them writes', async () => {
    const sidecar = sidecarOf(protocol);
    await sidecar.setState(`${store}/both`, 1, { ttlSeconds });
    const etag = (await sidecar.getState(`${store}/both`))?.etag;
    expect(await sidecar.setState(`${store}/both`, 2, { etag, ttlSeconds })).toBe(true);
    expect(await sidecar.setState(`${store}/both`, 3, { etag, ttlSeconds })).toBe(false);
    expect((await sidecar.getState(`${store}/both`))?.value).toBe(2);
  });
});

describe.each(protocols)('a call of an app over %s', (protocol) => {
  it('when it is there, it answers', async () => {
    const answer = await callerOf(protocol).clientOf(protocol).getThing({ thingId: 'x' });
    expect(answer).toEqual({ kind: 'found', thing: { id: 'x', tags: [] } });
  });

  it('when it outlives the deadline, the answer comes near it', async () => {
    const started = performance.now();
    const context = { requestId: 'r', traceparent: '', deadline: Date.now() + 200 };
    const client = callerOf(protocol).clientOf(protocol);
    const outcome = await reasonOf(withContext(context, () => client.getThing({ thingId: 'slow' })));
    expect(['deadline', 'none']).toContain(outcome); // its own wait, or the callee's `deadline-passed`
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  it('when nobody has that app-id, it is unreachable', async () => {
    const connect = createConnect(callerOf(protocol).daprd);
    const contract = protocol === 'http' ? thingsContract : grpcThingsContract;
    expect(await reasonOf(connect(contract).getThing({ thingId: 'x' }))).toBe('unreachable');
    connect.close();
  });

  it('when the caller claims to be one that is listed, it is refused', async () => {
    const headers = { 'dapr-caller-app-id': 'gateway' };
    const transport = callerOf(protocol).transportTo(protocol);
    expect(await reasonOf(transport('getHealth', {}, headers))).toBe('failed');
  });

  it('when it fails again and again, the breaker opens and says so', async () => {
    const client = callerOf(protocol).clientOf(protocol);
    const broken = () => reasonOf(client.getThing({ thingId: 'broken' }));
    expect(await broken()).toBe('failed');
    const several = () => Promise.all(Array.from({ length: 10 }, broken));
    await vi.waitFor(async () => expect(await several()).toContain('breaker-open'), { timeout: 60_000, interval: 1 });
  });
});

describe('a stream of an app over gRPC', () => {
  it('when it lasts longer than the time-out for calls, it is neither cut nor repeated', async () => {
    const tags: unknown[] = [];
    for await (const answer of callerOf('grpc').streams('watchThing', { thingId: 'long' }, {})) tags.push(answer);
    expect(tags).toEqual([
      { kind: 'tagged', tag: 'at once' },
      { kind: 'tagged', tag: 'later' },
    ]);
  });
});

describe('secrets', () => {
  it('when it is there, it is given; when not, or refused by policy, it is a failure', async () => {
    const sidecar = sidecarOf('http');
    expect(await sidecar.getSecret('aSecret')).toBe('of ours');
    expect(await reasonOf(sidecar.getSecret('noSuchSecret'))).toBe('failed');
    expect(await reasonOf(sidecar.getSecret('redisPassword'))).toBe('failed');
  });
});

describe('a part that is away', () => {
  it.each(['http', 'grpc'] as const)(
    'when it is an app over %s, calls try for a while and do not open the breaker',
    async (protocol) => {
      const client = callerOf(protocol).clientOf(protocol);
      await two.apps[protocol].closeApp();
      const call = () => reasonOf(client.keepThing({ thingId: 'x', tags: [] }, { idempotencyKey: 'k' }));
      expect([await call(), await call()]).toEqual(['unreachable', 'unreachable']);
    },
  );

  it('when it is Redis that takes no more, a first write is a failure and not a conflict', async () => {
    await two.redis.command('config set maxmemory 1');
    expect(await reasonOf(sidecarOf('grpc').setState('new', 1, { ttlSeconds: 60 }))).toBe('failed');
    await two.redis.command('config set maxmemory 0');
  });

  it('when it is Redis altogether, reading and writing are failures and not conflicts', async () => {
    const sidecar = sidecarOf('grpc');
    await two.redis.group.stop();
    const asked = [
      sidecar.getState('x'),
      sidecar.setState('x', 1, { ttlSeconds: 60 }),
      sidecar.setState('x', 1, { etag: '1', ttlSeconds: 60 }),
    ];
    for (const reason of await Promise.all(asked.map(reasonOf))) expect(['failed', 'deadline']).toContain(reason);
  });

  it('when it is the sidecar itself, everything is unreachable, and it is not healthy', async () => {
    const sidecar = sidecarOf('grpc');
    expect(await sidecar.isHealthy()).toBe(true);
    await two.apps.grpc.daprd.kill();
    expect(await sidecar.isHealthy()).toBe(false);
    expect(await reasonOf(sidecar.getState('x'))).toBe('unreachable');
    expect(await reasonOf(two.apps.grpc.clientOf('grpc').getThing({ thingId: 'x' }))).toBe('unreachable');
  });
});
