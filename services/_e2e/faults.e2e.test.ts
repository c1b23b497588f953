import { beforeAll, describe, expect, it } from 'vitest';
import { openOrderBook, runErrand } from '../../tools/drills/load.ts';
import { openShop, type Shop } from './shop.ts';

let shop: Shop;
beforeAll(async () => {
  // Slow enough that orders are under way when the fault strikes, and a catch-up that does not make the suite long.
  shop = await openShop({
    env: { FULFILLMENT_PICK_MS: '3000', FULFILLMENT_PACK_MS: '500', CATCH_UP_INTERVAL_MS: '500' },
  });
  return () => shop.close();
});

const services = ['gateway', 'products', 'inventory', 'orders', 'payments', 'fulfillment'];
const tokens = ['tok_ok', 'tok_ok', 'tok_ok', 'tok_flaky', 'tok_declined', 'tok_lost'];

/** Places the nth order, and cancels one in seven, as a client that does not give up. */
const run = (n: number) =>
  runErrand(
    shop,
    {
      customer: n % 2 === 0 ? 'ada' : 'ben',
      productId: String(20 + (n % 10)),
      quantity: 1 + (n % 3),
      paymentToken: tokens[n % tokens.length] ?? 'tok_ok',
      cancelAfterMs: isCancelled(n) ? 0 : undefined,
    },
    60_000,
  );
const isCancelled = (n: number) => n % 7 === 3;

/** Orders before, while and after the fault; then every acknowledged one ends, and the books are right. */
async function strike(fault: () => Promise<void> | void): Promise<void> {
  const book = openOrderBook(shop);
  try {
    const before = Array.from({ length: 20 }, (_, n) => run(n));
    await Promise.all(before.filter((_, n) => !isCancelled(n)));
    expect(await book.unfinished()).toBeGreaterThanOrEqual(10);
    await fault();
    const after = Array.from({ length: 10 }, (_, n) => run(20 + n));
    expect((await Promise.all([...before, ...after])).flat()).toEqual([]);
    await shop.mesh.waitReady(60_000);
    expect(await shop.audit()).toEqual([]);
  } finally {
    await book.close();
  }
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
