import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import { uuidv7 } from '../_chassis/uuid.ts';
import { order } from '../orders/contract.ts';
import { openShop, type Shop } from './shop.ts';

let shop: Shop;
beforeAll(async () => {
  // Slow enough that orders are under way when the fault strikes, and a catch-up that does not make the suite long.
  shop = await openShop({
    env: { FULFILLMENT_PICK_MS: '1500', FULFILLMENT_PACK_MS: '500', CATCH_UP_INTERVAL_MS: '500' },
  });
  return () => shop.close();
});

const services = ['gateway', 'products', 'inventory', 'orders', 'payments', 'fulfillment'];
const tokens = ['tok_ok', 'tok_ok', 'tok_ok', 'tok_flaky', 'tok_declined', 'tok_lost'];

/** Places an order and does not give up: the same key until there is an answer, as a good client does. */
async function placeStubbornly(n: number): Promise<void> {
  const key = uuidv7();
  const body = {
    items: [{ productId: String(20 + (n % 10)), quantity: 1 + (n % 3) }],
    paymentToken: tokens[n % tokens.length],
  };
  const limit = Date.now() + 60_000;
  for (;;) {
    const answer = await shop
      .as(n % 2 === 0 ? 'ada' : 'ben')({ path: '/api/orders', key, body, timeoutMs: 5_000 })
      .catch(() => undefined);
    if (answer?.status === 201) {
      const { id } = order.parse(answer.body);
      if (n % 7 === 3) await cancelStubbornly(id, n % 2 === 0 ? 'ada' : 'ben');
      return;
    }
    if (answer && answer.status !== 409 && answer.status < 500) throw new Error(`${answer.status} ${answer.text}`);
    if (Date.now() > limit) throw new Error(`no order after a minute: ${answer?.status} ${answer?.text}`);
    await delay(100);
  }
}

async function cancelStubbornly(id: string, person: 'ada' | 'ben'): Promise<void> {
  const key = uuidv7();
  for (let tries = 0; tries < 300; tries++) {
    const request = { method: 'POST', path: `/api/orders/${id}/cancellation`, key, timeoutMs: 5_000 };
    const answer = await shop
      .as(person)(request)
      .catch(() => undefined);
    if (answer && (answer.status === 200 || (answer.status === 409 && answer.text.includes('order-not-cancellable'))))
      return;
    await delay(100);
  }
  throw new Error(`order ${id} could not be cancelled`);
}

async function unfinished(): Promise<number> {
  const client = new pg.Client({ connectionString: shop.mesh.databaseUrl('orders') });
  await client.connect();
  try {
    const open = `select count(*)::int as open from orders where state not in ('shipped', 'rejected', 'payment-failed', 'cancelled')`;
    return (await client.query<{ open: number }>(open)).rows[0]?.open ?? 0;
  } finally {
    await client.end();
  }
}

/** Orders before, while and after the fault; then every acknowledged one ends, and the books are right. */
async function strike(fault: () => Promise<void> | void): Promise<void> {
  const before = Array.from({ length: 20 }, (_, n) => placeStubbornly(n));
  await Promise.all(before.filter((_, n) => n % 7 !== 3));
  expect(await unfinished()).toBeGreaterThanOrEqual(10);
  await fault();
  const after = Array.from({ length: 10 }, (_, n) => placeStubbornly(20 + n));
  await Promise.all([...before, ...after]);
  await shop.mesh.waitReady(60_000);
  expect(await shop.audit()).toEqual([]);
}

describe('with at least ten orders under way', () => {
  it.each(services.flatMap((service) => [[service, 'app'] as const, [service, 'sidecar'] as const]))(
    'when the %s %s is killed, every acknowledged order ends and nothing is lost',
    async (service, member) => {
      const { restarts } = pairOf(service);
      await strike(() => shop.mesh.signal(`${service}-0`, member, 'SIGKILL'));
      expect(pairOf(service).restarts).toBe(restarts + 1);
    },
  );

  it('when the bank is killed, every acknowledged order ends and nothing is lost', () =>
    strike(() => {
      const bank = shop.mesh.servers().find(({ name }) => name === 'bank');
      process.kill(bank?.pid ?? Number.NaN, 'SIGKILL');
    }));

  it('when PostgreSQL crashes, every acknowledged order ends and nothing is lost', () =>
    strike(() => shop.mesh.restartPostgres('immediate')));

  it('when Redis is emptied, every acknowledged order ends and nothing is lost', () =>
    strike(() => shop.mesh.flushRedis()));

  it('when Redis dies and its data with it, every acknowledged order ends and nothing is lost', () =>
    strike(() => shop.mesh.killRedis({ wipe: true })));
});

function pairOf(service: string) {
  const pair = shop.mesh.pairs().find(({ name }) => name === `${service}-0`);
  if (!pair) throw new Error(`there is no pair of ${service}`);
  return pair;
}
