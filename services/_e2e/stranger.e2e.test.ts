import { rm } from 'node:fs/promises';
import pg from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import { buildStranger } from '../../tools/setup/stranger.mjs';
import { uuidv7 } from '../_chassis/uuid.ts';
import { ends, openShop, type Shop } from './shop.ts';
import { createStrangerProject } from './stranger-project.ts';

let shop: Shop;
beforeAll(async () => {
  const root = await createStrangerProject(await buildStranger());
  const env = { FULFILLMENT_PICK_MS: '4000', FULFILLMENT_PACK_MS: '500', CATCH_UP_INTERVAL_MS: '500' };
  shop = await openShop({ root, env });
  return async () => {
    await shop.close();
    await rm(root, { recursive: true });
  };
}, 600_000);

const cancel = (id: string) =>
  shop.as('ada')({ method: 'POST', path: `/api/orders/${id}/cancellation`, key: uuidv7() });
const places = (count: number) => Promise.all(Array.from({ length: count }, async () => (await shop.place()).id));
const until = (ids: readonly string[], ...statuses: (typeof ends)[number][]) =>
  Promise.all(ids.map((id) => shop.until(id, ...statuses)));

async function inFulfillment(sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: shop.mesh.databaseUrl('fulfillment') });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

describe('a Go service that knows only contracts/, in the place of fulfillment', () => {
  it('when orders are placed, ships them', async () => {
    const ids = await places(5);
    await until(ids, 'shipped');
    const parcels = `select count(*)::int from shipments where carrier = 'Gopher Express'`;
    expect(await inFulfillment(parcels)).toEqual([{ count: 5 }]);
    expect((await shop.as()({ path: '/health' })).body).toMatchObject({
      services: { fulfillment: { status: 'healthy' } },
    });
  });

  it('when orders are cancelled at every moment, decides which still leave', async () => {
    const [atOnce, reserved, paid, late] = await Promise.all([places(3), places(3), places(3), places(1)]);
    await Promise.all(atOnce.map(cancel));
    await Promise.all(reserved.map((id) => shop.until(id, 'reserved', 'paid').then(() => cancel(id))));
    await Promise.all(paid.map((id) => shop.until(id, 'paid').then(() => cancel(id))));
    await until([...atOnce, ...reserved, ...paid], 'cancelled');
    await until(late, 'shipped');
    expect((await cancel(late[0] ?? '')).status).toBe(409);
    const stopped = `select count(*)::int from fulfillments where state = 'cancelled' and lines <> '[]' and order_id <> '4'`;
    expect(await inFulfillment(stopped)).toEqual([{ count: expect.toSatisfy((n: number) => n >= 3) as number }]);
  });

  it('when it is held up, and a withdrawal overtakes or follows its request, answers once', async () => {
    shop.mesh.signal('fulfillment-0', 'app', 'SIGSTOP');
    const ids = await places(3);
    await Promise.all(ids.map((id) => shop.until(id, 'paid').then(() => cancel(id))));
    shop.mesh.signal('fulfillment-0', 'app', 'SIGCONT');
    await until(ids, 'cancelled', 'shipped');
  });

  it('when it is killed with orders in its hands, and Redis is emptied, every order ends', async () => {
    const before = await places(6);
    await Promise.all(before.map((id) => shop.until(id, 'paid')));
    shop.mesh.signal('fulfillment-0', 'app', 'SIGKILL');
    const during = await places(4);
    await shop.mesh.waitReady(60_000);
    const after = await places(4);
    await shop.mesh.flushRedis();
    await until([...before, ...during, ...after], 'shipped');
  });

  it('when all is over, the books of the whole shop are clean', async () => {
    expect(await inFulfillment(`select id, cause from inbox where status <> 'handled'`)).toEqual([]);
    expect(await shop.audit()).toEqual([]);
  });
});
