import { describe, expect, it } from 'vitest';
import { currentContext, withContext, type CallContext } from './context.ts';
import { createEnvelope, type Envelope } from './envelope.ts';
import { createLog } from './log.ts';
import { createMetrics } from './metrics.ts';
import { createRelay } from './relay.ts';

const log = createLog('things', 'silent');
const event = (topic = 't.events', n = 0) =>
  createEnvelope('things', { type: 'x', topic, subject: String(n), tenant: 'main', data: { n } });
const many = (count: number, topic?: string) => Array.from({ length: count }, (_, n) => event(topic, n));

/** A relay to a broker that does what it is told with each batch; by default it takes everything. */
function startRelay(broker: (topic: string, batch: readonly Envelope[]) => Promise<number> = async () => 0) {
  const batches: { topic: string; size: number }[] = [];
  const order: string[] = [];
  const metrics = createMetrics('things');
  const sidecar = {
    publish: (topic: string, batch: readonly Envelope[]) => {
      batches.push({ topic, size: batch.length });
      order.push(...batch.map((one) => `${topic} ${one.subject}`));
      return broker(topic, batch);
    },
  };
  const count = async (result: string, topic = 't.events') => {
    const { values } = await metrics.eventsPublished.get();
    return values.find(({ labels }) => labels.topic === topic && labels.result === result)?.value ?? 0;
  };
  return { relay: createRelay({ sidecar, log, metrics }), batches, order, count };
}

describe('the relay', () => {
  it('when several transactions commit in one turn, their events go out together, in order', async () => {
    const { relay, batches, order } = startRelay();
    for (const one of many(5)) relay.push([one]);
    await relay.idle();
    expect(batches).toEqual([{ topic: 't.events', size: 5 }]);
    expect(order).toEqual(many(5).map((one) => `t.events ${one.subject}`));
  });

  it('when there are more than a batch holds, they go out in order, at most 100 at once, topic by topic', async () => {
    const { relay, batches, order } = startRelay();
    relay.push([...many(250), ...many(3, 'u.events')]);
    await relay.idle();
    const sizes = (topic: string) => batches.filter((one) => one.topic === topic).map((one) => one.size);
    expect([sizes('t.events'), sizes('u.events')]).toEqual([[100, 100, 50], [3]]);
    expect(order.filter((one) => one.startsWith('t.'))).toEqual(many(250).map((one) => `t.events ${one.subject}`));
  });

  it('when one topic hangs, the others go out', async () => {
    const hanging = Promise.withResolvers<number>();
    const { relay, order } = startRelay((topic) => (topic === 't.events' ? hanging.promise : Promise.resolve(0)));
    relay.push([event(), event('u.events')]);
    await new Promise(setImmediate);
    expect(order).toContain('u.events 0');
    hanging.resolve(0);
    await relay.idle();
  });

  it('when the broker is away, everything is counted as left, nothing is thrown, and the next events are tried', async () => {
    let away = true;
    const { relay, count } = startRelay(() => (away ? Promise.reject(new Error('away')) : Promise.resolve(0)));
    relay.push(many(150));
    await relay.idle();
    expect([await count('left'), await count('published')]).toEqual([150, 0]);
    away = false;
    relay.push(many(2));
    await relay.idle();
    expect([await count('left'), await count('published')]).toEqual([150, 2]);
  });

  it('when the broker takes a part, the rest is counted as left', async () => {
    const { relay, count } = startRelay(async () => 3);
    relay.push(many(10));
    await relay.idle();
    expect([await count('left'), await count('published')]).toEqual([3, 7]);
  });

  it('when the broker hangs and the queue is full, what comes then is left to catch-up', async () => {
    const hanging = Promise.withResolvers<number>();
    const { relay, count } = startRelay(() => hanging.promise);
    relay.push(many(100));
    await new Promise(setImmediate); // the first batch is under way
    relay.push(many(10_001));
    expect(await count('left')).toBe(1);
    hanging.resolve(0);
    await relay.idle();
    expect(await count('published')).toBe(10_100);
  });

  it('when a commit comes while a batch is under way, it follows; idle waits for it', async () => {
    const { relay, count } = startRelay(async (_topic, batch) => {
      if (batch.length === 2) relay.push(many(1));
      return 0;
    });
    relay.push(many(2));
    await relay.idle();
    expect(await count('published')).toBe(3);
  });

  it("when a call's time is over, what it committed is published all the same, and without its token", async () => {
    const seen: (CallContext | undefined)[] = [];
    const { relay } = startRelay(async () => {
      seen.push(currentContext());
      return 0;
    });
    const context = { requestId: 'r', traceparent: '', deadline: 1, authorization: 'Bearer x' };
    withContext(context, () => relay.push(many(101)));
    await relay.idle();
    expect(seen).toEqual([undefined, undefined]);
  });
});
