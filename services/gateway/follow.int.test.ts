import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DependencyError } from '../_chassis/errors.ts';
import { openEventStream, type EventStream, type StreamRequest } from '../_e2e/event-source.ts';
import { startTestGateway } from './test-gateway.ts';

const streams = { heartbeatMs: 200, lifeMs: 60_000, resumeWithinMs: 1_500, mostStreams: 100, mostOfOne: 100 };
let gateway: Awaited<ReturnType<typeof startTestGateway>>;
let opened: EventStream[] = [];
beforeAll(async () => {
  gateway = await startTestGateway({ deadlineMs: 500, streams });
});
afterAll(() => gateway.close());
beforeEach(() => {
  for (const stream of opened) stream.leave();
  opened = [];
  gateway.reset();
});

const at = '2026-01-01T00:00:00.000Z';
const moved = (version: number, status: string, more: object = {}) => ({
  kind: 'moved',
  orderId: 'o/1',
  version,
  status,
  at,
  ...more,
});
const following = { kind: 'following' };
const ended = { kind: 'ended' };

type Script = (signal: AbortSignal | undefined, call: number) => AsyncGenerator<unknown>;

/** Waits until whoever follows has left. */
const untilLeft = (signal: AbortSignal | undefined) =>
  new Promise<void>((resolve) => {
    if (signal?.aborted) resolve();
    else signal?.addEventListener('abort', () => resolve());
  });

/** Has orders answer its first stream, its second, … by these; the last one answers all that come after. */
function script(...scripts: Script[]) {
  let calls = 0;
  gateway.answer('orders.followOrder', () => (signal?: AbortSignal) => {
    const call = calls++;
    return (scripts[call] ?? scripts.at(-1))?.(signal, call);
  });
}
const saying = (...answers: unknown[]): Script =>
  async function* (signal) {
    yield* answers;
    if (answers.at(-1) !== ended) await untilLeft(signal);
  };
const breaking = (reason: DependencyError['reason'], ...answers: unknown[]): Script =>
  async function* () {
    yield* answers;
    throw new DependencyError('orders', reason, { detail: 'secret' });
  };

const follow = async (options: StreamRequest & { as?: keyof typeof gateway.tokens } = {}) => {
  const { as = 'customer', ...rest } = options;
  const token = `Bearer ${gateway.tokens[as]}`;
  const stream = await openEventStream(`${gateway.base}/api/orders/o%2F1/events`, { token, ...rest });
  opened.push(stream);
  return stream;
};
const idsOf = (stream: EventStream) => stream.events.map(({ id }) => id).join();
const codeOf = async (stream: EventStream) => {
  await stream.ended;
  return [stream.status, (JSON.parse(stream.text()) as { code: string }).code];
};
const askedAfter = () => gateway.asked.map(({ request }) => (request as { afterVersion: number }).afterVersion);

describe('followOrder', () => {
  it('when the order has ended, all its moves are sent, exactly as events, and the body ends', async () => {
    script(saying(moved(1, 'placed'), moved(2, 'rejected', { reason: 'out-of-stock', secret: 1 }), ended));
    const stream = await follow();
    expect(await stream.ended).toBe('clean');
    expect(stream.text()).toBe(
      'retry: 1000\n\n' +
        `id: 1\nevent: placed\ndata: {"orderId":"o/1","status":"placed","version":1,"at":"${at}"}\n\n` +
        `id: 2\nevent: rejected\ndata: {"orderId":"o/1","status":"rejected","version":2,"at":"${at}","reason":"out-of-stock"}\n\n`,
    );
    expect(stream.headers).toMatchObject({
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'transfer-encoding': 'chunked',
    });
    expect(gateway.asked[0]).toMatchObject({ request: { orderId: 'o/1', afterVersion: 0 } });
    expect(gateway.asked[0]?.context).toMatchObject({ deadline: undefined });
  });

  it('when the client has all of them already, it is told not to come back', async () => {
    script(saying(ended));
    const stream = await follow({ lastEventId: '4' });
    expect([stream.status, await stream.ended, stream.text()]).toEqual([204, 'clean', '']);
    expect(askedAfter()).toEqual([4]);
  });

  it('when nothing has moved yet, the stream begins all the same, and beats', async () => {
    script(saying(following));
    const stream = await follow({ lastEventId: '2' });
    expect(stream.status).toBe(200);
    await expect.poll(() => stream.text()).toContain(':\n\n:\n\n');
    expect(stream.events).toEqual([]);
  });

  it('when asked by HEAD, there is only the head', async () => {
    script(saying(following));
    const stream = await follow({ method: 'HEAD' });
    expect([stream.status, await stream.ended, stream.text()]).toEqual([200, 'clean', '']);
    expect(stream.headers['content-type']).toBe('text/event-stream');
  });

  it.each([
    ['not-found', 404, 'not-found'],
    ['unauthenticated', 401, 'unauthenticated'],
    ['overloaded', 503, 'overloaded'],
    ['deadline-passed', 503, 'deadline-passed'],
  ])('when orders says %s before it begins, the answer is %i %s', async (kind, status, code) => {
    script(saying({ kind, retryAfterMs: 1 }));
    expect(await codeOf(await follow())).toEqual([status, code]);
  });

  it.each(['deadline', 'failed', 'breaker-open'] as const)(
    'when it fails as %s before, it is 503 at once',
    async (reason) => {
      script(breaking(reason));
      const code = reason === 'deadline' ? 'deadline-passed' : 'dependency-unavailable';
      expect(await codeOf(await follow())).toEqual([503, code]);
      expect(gateway.asked).toHaveLength(1);
    },
  );

  it('when orders is away, it is asked until the deadline, and then it is 503', async () => {
    script(breaking('unreachable'));
    expect(await codeOf(await follow())).toEqual([503, 'dependency-unavailable']);
    expect(gateway.asked.length).toBeGreaterThan(1);
  });
});

describe('a stream that breaks behind the gateway', () => {
  it('when another replica is there, the client notices nothing: no move twice, none missing', async () => {
    script(
      breaking('unreachable'),
      breaking('unreachable', moved(1, 'placed'), moved(2, 'reserved')),
      saying({ kind: 'overloaded', retryAfterMs: 1 }),
      breaking('failed', following),
      async function* () {}, // ends without a word
      saying(moved(3, 'paid'), moved(4, 'shipped'), ended),
    );
    const stream = await follow();
    expect(await stream.ended).toBe('clean');
    expect(idsOf(stream)).toBe('1,2,3,4');
    expect(askedAfter()).toEqual([0, 0, 2, 2, 2, 2]);
  });

  it('when nobody is there for long enough, the body ends properly', async () => {
    script(saying(moved(1, 'placed')), breaking('unreachable'));
    script(breaking('unreachable', moved(1, 'placed')), breaking('unreachable'));
    const stream = await follow();
    expect(await stream.ended).toBe('clean');
    expect(idsOf(stream)).toBe('1');
    expect(gateway.asked.length).toBeGreaterThan(2);
  });

  it('when the token has run out meanwhile, the body ends, and the client is told when it comes back', async () => {
    script(breaking('unreachable', moved(1, 'placed')), saying({ kind: 'unauthenticated' }));
    const stream = await follow();
    expect(await stream.ended).toBe('clean');
    expect(gateway.asked).toHaveLength(2);
    expect(await codeOf(await follow({ lastEventId: '1' }))).toEqual([401, 'unauthenticated']);
  });

  it('when orders has a defect in the middle of it, the stream is resumed like any other', async () => {
    script(breaking('failed', moved(1, 'placed')), saying(moved(2, 'cancelling'), moved(3, 'cancelled'), ended));
    const stream = await follow();
    expect(await stream.ended).toBe('clean');
    expect(idsOf(stream)).toBe('1,2,3');
  });
});

describe('who follows', () => {
  it.each([
    ['before it has begun', []],
    ['later', [following]],
  ])('when he leaves %s, orders hears of it', async (_, answers) => {
    const began = Promise.withResolvers<void>();
    const left = Promise.withResolvers<void>();
    script(async function* (signal) {
      began.resolve();
      yield* answers;
      await untilLeft(signal);
      left.resolve();
    });
    const leaving = new AbortController();
    const { signal } = leaving;
    const head = fetch(`${gateway.base}/api/orders/1/events`, { signal }).catch(() => undefined);
    await began.promise;
    if (answers.length > 0) expect((await head)?.status).toBe(200);
    leaving.abort();
    await left.promise;
  });

  it('when he follows too much at once it is 429, when all do it is 503, and places come free again', async () => {
    const full = await startTestGateway({ streams: { ...streams, mostStreams: 3, mostOfOne: 2 } });
    full.answer('orders.followOrder', () => saying(following));
    const open = (as?: 'customer' | 'staff') =>
      openEventStream(`${full.base}/api/orders/1/events`, { token: as && `Bearer ${full.tokens[as]}` });
    const mine = [await open('customer'), await open('customer')];
    expect(await codeOf(await open('customer'))).toEqual([429, 'too-many-streams']);
    expect((await open('staff')).status).toBe(200);
    const refused = await open();
    expect(await codeOf(refused)).toEqual([503, 'overloaded']);
    expect(refused.headers['retry-after']).toBe('5');
    mine[0]?.leave();
    await expect.poll(async () => (await open('customer')).status).toBe(200);
    full.endStreams();
    await full.close();
  });

  it('when he reads no more, he is let go, and no more is taken from orders than he has been sent', async () => {
    let made = 0;
    const left = Promise.withResolvers<void>();
    script(async function* (signal) {
      for (; !signal?.aborted; made++) yield moved(made + 1, 'placed', { reason: 'x'.repeat(1_000_000) });
      left.resolve();
    });
    const stream = await follow();
    stream.pause();
    await left.promise;
    expect(made).toBeLessThan(40); // what the buffers of two sockets hold
    stream.resume();
    expect(await stream.ended).toBe('broken');
  });
});

describe('a stream', () => {
  it('when it has lived long enough, or the gateway ends, its body ends properly', async () => {
    const brief = await startTestGateway({ streams: { ...streams, lifeMs: 300 } });
    const lasting = await startTestGateway({ streams });
    for (const one of [brief, lasting]) {
      one.answer('orders.followOrder', () => saying(following));
      const stream = await openEventStream(`${one.base}/api/orders/1/events`);
      expect(stream.status).toBe(200);
      if (one === lasting) one.endStreams();
      expect(await stream.ended).toBe('clean');
    }
    // From then on one that is asked for all the same ends at once: its client goes elsewhere.
    const late = await openEventStream(`${lasting.base}/api/orders/1/events`);
    expect([late.status, await late.ended]).toEqual([200, 'clean']);
    await Promise.all([brief.close(), lasting.close()]);
  });
});
