import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { uuidv7 } from '../_chassis/uuid.ts';
import { openShop, type Shop } from './shop.ts';

let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ replicas: { gateway: 2 }, env: { GATEWAY_DEADLINE_MS: '9000' } });
});
afterAll(() => shop.close());

const body = { items: [{ productId: '20', quantity: 1 }], paymentToken: 'tok_ok' };

/** How many orders the gateway with this ops port has let through without being able to count them with the others. */
async function allowedAlone(port: number): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  return Number(/class="order",result="allowed-alone"[^\n]* (\d+)\n/.exec(text)?.[1] ?? 0);
}

describe('the limit of orders', () => {
  it('when one customer places 300 at once through two gateways, what is refused says when to come again, and the books are right', async () => {
    const clients = await Promise.all([0, 1].map((gateway) => shop.customer('hasty', gateway)));
    const send = async (n: number) => {
      const answer = await clients[n % 2]?.({ path: '/api/orders', key: uuidv7(), body });
      if (!answer) throw new Error('there is no client');
      return answer;
    };
    const started = performance.now();
    const answers = await Promise.all(Array.from({ length: 300 }, (_, n) => send(n)));
    const seconds = (performance.now() - started) / 1_000;
    const refused = answers.filter(({ status }) => status === 429);
    const allowed = answers.filter(({ status }) => status !== 429);
    // A machine that is too slow for a hundred orders at once says so, whatever the limit allows.
    for (const { status, body: said, headers } of allowed.filter((answer) => answer.status !== 201)) {
      expect({ status, ...(said as object) }).toMatchObject({ status: 503, code: 'overloaded' });
      expect(headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
    }
    expect(allowed.length).toBeGreaterThanOrEqual(95);
    // A gateway that could not ask Redis in time counts alone, and says so.
    const alone = (await Promise.all([6580, 6680].map(allowedAlone))).reduce((sum, count) => sum + count, 0);
    expect(allowed.length).toBeLessThanOrEqual(105 + 50 * seconds + alone);
    for (const answer of refused) {
      expect(answer.body).toMatchObject({ code: 'rate-limited' });
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
      expect(answer.headers.get('ratelimit-policy')).toBe('"order";q=100;w=2');
    }
    const other = await shop.customer('patient', 1);
    expect((await other({ path: '/api/orders', key: uuidv7(), body })).status).toBe(201);
    expect(await shop.audit()).toEqual([]);
  });

  it('when Redis hangs, orders are placed all the same', async () => {
    const ask = await shop.customer('steady');
    const pid = shop.mesh.servers().find(({ name }) => name === 'redis')?.pid;
    if (pid === undefined) throw new Error('there is no Redis');
    process.kill(pid, 'SIGSTOP');
    try {
      const place = () => ask({ path: '/api/orders', key: uuidv7(), body });
      const answers = await Promise.all(Array.from({ length: 10 }, place));
      expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 201));
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    expect(await shop.audit()).toEqual([]);
  });
});
