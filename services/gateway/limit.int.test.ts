import { afterEach, describe, expect, it } from 'vitest';
import { DependencyError } from '../_chassis/errors.ts';
import { memoryCounters } from '../_chassis/test-support/counters.ts';
import { quotaOf } from './limit-share.ts';
import { startTestGateway } from './test-gateway.ts';

type Gateway = Awaited<ReturnType<typeof startTestGateway>>;
const open: Gateway[] = [];
async function start(options: Parameters<typeof startTestGateway>[0] = {}): Promise<Gateway> {
  const gateway = await startTestGateway(options);
  gateway.answer('orders.getOrder', { kind: 'not-found' });
  open.push(gateway);
  return gateway;
}
afterEach(async () => {
  for (const gateway of open.splice(0)) await gateway.close();
});

const few = quotaOf('order', 0.1, 3, 'alone');
const fewReads = { read: quotaOf('read', 0.1, 3, 'alone') };
const read = '/api/orders/1';
const newOrder = { items: [{ productId: '1', quantity: 1 }], paymentToken: 'tok_ok' };

/** The statuses of so many reads one after another. */
async function readAs(gateway: Gateway, times: number, as?: 'customer' | 'staff' | 'forged', forwarded?: string) {
  const statuses: number[] = [];
  for (let n = 0; n < times; n += 1) {
    const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded };
    statuses.push((await gateway.send('GET', read, as, undefined, headers)).status);
  }
  return statuses;
}

describe('a limit', () => {
  it('when it is reached, the answer says so, and when to come again, and no service is asked', async () => {
    const gateway = await start({ quotas: fewReads });
    const allowed = await gateway.send('GET', read, 'customer');
    expect(allowed.headers.get('ratelimit-policy')).toBe('"read";q=3;w=30');
    expect(allowed.headers.get('ratelimit')).toMatch(/^"read";r=2;t=([1-9]|[12]\d|30)$/);
    await readAs(gateway, 2, 'customer');
    gateway.asked.length = 0;
    const refused = await gateway.send('GET', read, 'customer');
    expect(refused.status).toBe(429);
    expect(refused.json).toMatchObject({ code: 'rate-limited', detail: 'There may be 3 of this kind in 30 s.' });
    const after = Number(refused.headers.get('retry-after'));
    expect(after).toBeGreaterThanOrEqual(1);
    expect(after).toBeLessThanOrEqual(40);
    expect(refused.headers.get('ratelimit')).toBe(`"read";r=0;t=${after}`);
    expect(refused.headers.get('ratelimit-policy')).toBe('"read";q=3;w=30');
    expect(gateway.asked).toEqual([]);
    expect(await gateway.metrics.registry.metrics()).toMatch(
      /sidecart_ratelimit_decisions_total\{class="read",result="refused",service="gateway"\} 1/,
    );
  });

  it('when it is reached, a body is not waited for', async () => {
    const gateway = await start({ quotas: { order: few } });
    const place = (body: string | ReadableStream, key: string) =>
      fetch(`${gateway.base}/api/orders`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${gateway.tokens.customer}`,
          'content-type': 'application/json',
          'idempotency-key': key,
        },
        body,
        ...{ duplex: 'half' },
      });
    for (let n = 0; n < 3; n += 1) expect((await place(JSON.stringify(newOrder), `${n}`)).status).toBe(503);
    const endless = new ReadableStream({ start: (controller) => controller.enqueue(new TextEncoder().encode('{')) });
    expect((await place(endless, 'endless')).status).toBe(429);
  });

  it('when one person has several tokens, they have one budget; other people, and other classes, have theirs', async () => {
    const counters = memoryCounters();
    const [one, two] = [await start({ quotas: fewReads, counters }), await start({ quotas: fewReads, counters })];
    expect(one.tokens.customer).not.toBe(two.tokens.customer);
    expect(await readAs(one, 2, 'customer')).toEqual([404, 404]);
    expect(await readAs(two, 2, 'customer')).toEqual([404, 429]);
    expect(await readAs(two, 1, 'staff')).toEqual([404]);
    expect((await two.send('DELETE', '/api/products/1', 'customer')).status).toBe(403);
    expect(counters.asked.length).toBeGreaterThan(0);
    for (const { key } of counters.asked) expect(key).toMatch(/^limit:read:[\w-]{22}:\d+$/);
  });

  it('when a token is forged, it counts for the address that sent it, and strangers there share that', async () => {
    const gateway = await start({ quotas: fewReads });
    expect(await readAs(gateway, 2, 'forged')).toEqual([401, 401]);
    expect(await readAs(gateway, 2)).toEqual([404, 429]);
    expect(await readAs(gateway, 1, 'forged')).toEqual([429]);
    expect(await readAs(gateway, 1, 'customer')).toEqual([404]);
  });

  it('when a stranger makes up other addresses, he is the same; from a trusted proxy they are others', async () => {
    const gateway = await start({ quotas: fewReads });
    expect(await readAs(gateway, 3, undefined, '192.0.2.1')).toEqual([404, 404, 404]);
    expect(await readAs(gateway, 1, undefined, '192.0.2.2')).toEqual([429]);
    const behind = await start({ quotas: fewReads, proxies: ['127.0.0.1'] });
    expect(await readAs(behind, 3, undefined, '192.0.2.1')).toEqual([404, 404, 404]);
    expect(await readAs(behind, 1, undefined, '192.0.2.9, 192.0.2.1')).toEqual([429]);
    expect(await readAs(behind, 1, undefined, '192.0.2.2')).toEqual([404]);
  });
});

describe('without the counters', () => {
  const away = {
    invokeBinding: async (binding: string) => Promise.reject(new DependencyError(binding, 'unreachable')),
  };

  it('when they are away, reads go on within the limit, each gateway by itself, and it is logged once', async () => {
    const gateway = await start({ quotas: fewReads, counters: away });
    expect(await readAs(gateway, 4, 'customer')).toEqual([404, 404, 404, 429]);
    expect(gateway.logged.filter((line) => line.includes('counted by each gateway alone'))).toHaveLength(1);
    expect(await gateway.metrics.registry.metrics()).toMatch(/class="read",result="allowed-alone"[^\n]* 3\n/);
  });

  it('when they are away, a class that is closed then is refused as unavailable', async () => {
    const quotas = { read: { ...quotaOf('sign-in', 1, 10, 'closed'), name: 'read' as const } };
    const gateway = await start({ quotas, counters: away });
    const answer = await gateway.send('GET', read);
    expect([answer.status, answer.json['code']]).toEqual([503, 'dependency-unavailable']);
    expect(answer.headers.get('retry-after')).toBe('1');
    expect(await gateway.metrics.registry.metrics()).toMatch(/class="read",result="closed"[^\n]* 1\n/);
  });
});
