import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askingRoutes, tryDoors, tryStrangers } from './doors.ts';
import { forge } from './forgeries.ts';
import { probe, probesOf, table } from './probes.ts';
import { send } from './send.ts';
import { openShop, type Shop } from './shop.ts';
import { walk } from './walk.ts';

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.close());

const names = Object.keys(table);

describe('tokens', () => {
  it('when a token is forged, stale or not where tokens are, every route refuses it and asks nobody', async () => {
    const { refused } = forge(shop.keys.privateKey);
    expect(refused.length).toBeGreaterThanOrEqual(60);
    expect(await walk(shop, names)).toEqual([]);
  });

  it('when a token is odd but right, it is taken', async () => {
    for (const { name, authorization } of forge(shop.keys.privateKey).accepted) {
      const { status } = await send(shop.port, { method: 'GET', path: '/api/orders', headers: { authorization } });
      expect([name, status]).toEqual([name, 200]);
    }
  });
});

describe('probes', () => {
  it('when anybody asks for anything, nobody is told what is not his', { timeout: 300_000 }, async () => {
    const probes = names.map((name) => [name, probesOf(name)] as const);
    for (const [name, own] of probes) expect([name, own.length >= 30]).toEqual([name, true]);
    const all = probes.flatMap(([, own]) => own);
    expect(all.length).toBeGreaterThanOrEqual(10_000);
    const before = await shop.still();
    expect(await probe(shop, all)).toEqual([]);
    expect(await shop.still()).toBe(before);
    expect(await shop.astray()).toEqual([]);
  });
});

describe('a service by itself', () => {
  it(
    'when it is asked past the gateway, it refuses whom the gateway would have refused',
    { timeout: 300_000 },
    async () => {
      const before = await shop.still();
      expect((await tryDoors(shop, askingRoutes)).slice(0, 50)).toEqual([]);
      expect(await tryStrangers(shop)).toEqual([]);
      expect(await shop.still()).toBe(before);
    },
  );
});
