import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { between, createTestDatabase } from '../_chassis/test-support/database.ts';
import { startTestService, type TestService } from '../_chassis/test-support/service.ts';
import { buildApp } from './app.ts';
import { productsContract } from './contract.ts';

// Trusted for long, so that a slow machine does not make a hit a miss.
const settings = { ttlMs: 300_000, pauseMs: 50, trustMs: 2_000, refreshIntervalMs: 50 };
let service: TestService<typeof productsContract>;
let rowLoads = 0;
beforeAll(async () => {
  const database = await createTestDatabase('products', new URL('./migrations', import.meta.url));
  service = await startTestService({
    contract: productsContract,
    database: between(database, (scope) => ({
      query: (sql, values) => {
        if (sql.includes('as retired')) rowLoads++;
        return scope.query(sql, values);
      },
    })),
    buildApp: (deps) => buildApp(deps, settings),
    workers: true,
  });
});
afterAll(() => service.close());

const asStaff = () => service.as({ sub: '3', roles: ['staff'] });
async function create() {
  const price = { amount: 1, currency: 'EUR' } as const;
  const answer = await (await asStaff()).createProduct({ name: 'Cached', category: 'toys', price });
  if (answer.kind !== 'created') throw new Error(answer.kind);
  return answer.product.id;
}
async function priceTo(productId: string, amount: number) {
  const answer = await (await asStaff()).changeProduct({ productId, change: { price: { amount, currency: 'EUR' } } });
  if (answer.kind !== 'changed') throw new Error(answer.kind);
  return answer.product.version;
}
async function get(productId: string) {
  const answer = await (await service.as()).getProduct({ productId });
  if (answer.kind !== 'found') throw new Error(answer.kind);
  return { amount: answer.product.price.amount, version: answer.product.version, cache: answer.cache };
}
/** A product's first read from the cache: for a moment after its write, this process takes the entry for outdated. */
async function untilHit(productId: string) {
  for (;;) {
    const read = await get(productId);
    if (read.cache === 'hit') return read;
    await delay(20);
  }
}
const due = () => service.database.query('select state from due_work');

describe('the product cache', () => {
  it('when 50 clients ask at once for what it has not, the row is read once', async () => {
    const productId = await create();
    const client = await service.as();
    rowLoads = 0;
    await Promise.all(Array.from({ length: 50 }, () => client.getProduct({ productId })));

    expect(rowLoads).toBe(1);
  });

  it('when a price was changed, the next read has it, from the cache', async () => {
    const productId = await create();
    await get(productId);

    await priceTo(productId, 2);
    expect(await get(productId)).toMatchObject({ amount: 2, version: 2 });
    expect(await due()).toEqual([]);
    expect(await untilHit(productId)).toEqual({ amount: 2, version: 2, cache: 'hit' });
  });

  it('when staff change prices while customers look, nobody is shown less than was answered before', async () => {
    const productId = await create();
    let answered = 1;
    const writer = async () => {
      for (let n = 0; n < 12; n++)
        answered = Math.max(answered, await priceTo(productId, (100 + Math.random() * 1e6) | 0));
    };
    const reader = async () => {
      for (let n = 0; n < 40; n++) {
        const least = answered;
        expect((await get(productId)).version).toBeGreaterThanOrEqual(least);
      }
    };
    await Promise.all([writer(), writer(), ...Array.from({ length: 6 }, reader)]);
  });

  it('when the state store is dead, reads and writes go on, and a worker mends the entry once it is back', async () => {
    const productId = await create();
    await get(productId);
    expect(await get(productId)).toMatchObject({ amount: 1, cache: 'hit' });
    service.sidecar.down = true;
    await priceTo(productId, 3);
    expect(await get(productId)).toEqual({ amount: 3, version: 2, cache: 'miss' });
    expect(await due()).toEqual([{ state: '2' }]);

    service.sidecar.down = false;
    expect(await get(productId)).toMatchObject({ amount: 3 });
    while ((await due()).length > 0) await delay(20);
    expect(await untilHit(productId)).toEqual({ amount: 3, version: 2, cache: 'hit' });
  });

  it('when the write’s process dies after its commit, a worker brings the entry up to date', async () => {
    const productId = await create();
    await get(productId);
    await service.database.query(`update products set amount = 9, version = 2 where id = $1`, [productId]);
    await service.database.query(
      `insert into due_work (kind, subject, tenant, state, due_at) values ('refresh-cache', $1, 'main', '2', now())`,
      [`main/${productId}`],
    );

    while ((await due()).length > 0) await delay(20);
    expect((await service.sidecar.getState(`main/${productId}`))?.value).toMatchObject({ version: 2 });
    expect(await get(productId)).toMatchObject({ amount: 9 });
  });
});
