import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { envelope } from '../_chassis/envelope.ts';
import type { TestService } from '../_chassis/test-support/service.ts';
import { disappointedBy } from '../_e2e/expectations.ts';
import type { inventoryContract } from './contract.ts';
import { seed } from './seed.ts';
import { ledgerProblems, startInventory } from './test-support.ts';

let service: TestService<typeof inventoryContract>;
beforeAll(async () => {
  service = await startInventory();
});
afterAll(() => service.close());

const asWarehouse = (tenant = 'main') => service.as({ sub: '4', roles: ['warehouse'], tenant });
const receive = async (productId: string, quantity: number) =>
  (await asWarehouse()).receiveStock({ productId, warehouse: 'north', quantity });
const stock = async (productId: string) => (await service.as()).getStock({ productId });

describe('getStock', () => {
  it('when nobody is logged in, it shows every warehouse and the sums', async () => {
    await receive('shown', 3);
    await (await asWarehouse()).receiveStock({ productId: 'shown', warehouse: 'south', quantity: 4 });

    expect(await stock('shown')).toEqual({
      kind: 'stock',
      stock: {
        productId: 'shown',
        available: 7,
        reserved: 0,
        warehouses: [
          { warehouse: 'north', available: 3, reserved: 0 },
          { warehouse: 'south', available: 4, reserved: 0 },
        ],
      },
    });
  });

  it('when there is no such product, or it is another tenant’s, it is not found', async () => {
    await (await asWarehouse('other')).receiveStock({ productId: 'theirs', warehouse: 'north', quantity: 1 });

    for (const productId of ['theirs', 'nothing', '\0', '\ud800', "' or 1=1 --"])
      expect(await stock(productId)).toEqual({ kind: 'not-found' });
  });
});

describe('receiveStock', () => {
  it('when the caller is not of the warehouse, it is refused', async () => {
    const goods = { productId: 'refused', warehouse: 'north', quantity: 1 } as const;

    expect(await (await service.as()).receiveStock(goods)).toEqual({ kind: 'unauthenticated' });
    const staff = await service.as({ sub: '3', roles: ['staff'] });
    expect(await staff.receiveStock(goods)).toEqual({ kind: 'forbidden' });
    expect(await staff.adjustStock({ ...goods, reason: 'count' })).toEqual({ kind: 'forbidden' });
    expect(await stock('refused')).toEqual({ kind: 'not-found' });
  });

  it('when a key comes again, nothing is booked twice; with other goods it is refused', async () => {
    const warehouse = await asWarehouse();
    const goods = { productId: 'keyed', warehouse: 'south', quantity: 5 } as const;
    const key = { idempotencyKey: 'a-receipt' };
    const first = await warehouse.receiveStock(goods, key);

    expect(await warehouse.receiveStock(goods, key)).toEqual(first);
    expect(await warehouse.receiveStock({ ...goods, quantity: 6 }, key)).toEqual({ kind: 'key-reused' });
    expect(await stock('keyed')).toMatchObject({ stock: { available: 5 } });
  });

  it('when fifty come at once, each is booked', async () => {
    await Promise.all(Array.from({ length: 50 }, () => receive('busy', 2)));

    expect(await stock('busy')).toMatchObject({ stock: { available: 100 } });
  });
});

describe('adjustStock', () => {
  const adjust = async (productId: string, quantity: number) =>
    (await asWarehouse()).adjustStock({ productId, warehouse: 'north', quantity, reason: 'counted' });

  it('when units are found or missing, they are booked with the reason', async () => {
    await receive('counted', 10);

    expect(await adjust('counted', -4)).toMatchObject({ kind: 'adjusted', stock: { available: 6 } });
    expect(await adjust('counted', 1)).toMatchObject({ kind: 'adjusted', stock: { available: 7 } });
    expect(await adjust('found', 2)).toMatchObject({ kind: 'adjusted', stock: { available: 2 } });
    const booked = await service.database.query(
      `select quantity, reason from movements where product_id = 'counted' and kind = 'adjustment' order by position`,
    );
    expect(booked).toEqual([
      { quantity: '-4', reason: 'counted' },
      { quantity: '1', reason: 'counted' },
    ]);
  });

  it('when more is missing than there is, the answer is no and nothing is booked', async () => {
    await receive('few', 2);

    expect(await adjust('few', -3)).toEqual({ kind: 'not-enough', available: 2 });
    expect(await adjust('unheard-of', -1)).toEqual({ kind: 'not-enough', available: 0 });
    expect(await stock('unheard-of')).toEqual({ kind: 'not-found' });
    expect(await ledgerProblems(service.database)).toEqual([]);
  });
});

describe('seed', () => {
  it('when it runs twice, it tells the same story once, and every unit is accounted for', async () => {
    const { database } = service;
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    const counts = `select (select count(*) from stock) || ' ' || (select count(*) from movements) || ' ' ||
      (select count(*) from inbox) || ' ' || (select count(*) from outbox) as counts`;
    await seed(client);
    const before = await database.query(counts);
    await seed(client);
    await client.end();

    expect(await database.query(counts)).toEqual(before);
    expect(await ledgerProblems(database)).toEqual([]);
    expect(await stock('1')).toMatchObject({ stock: { available: 998, reserved: 0 } });
    expect(await stock('3')).toMatchObject({ stock: { available: 40 } });
    expect(await stock('200')).toMatchObject({ kind: 'stock', stock: { available: 0 } });
    const inbox = await database.query<{ id: string }>('select id from inbox order by id');
    expect(inbox.map((row) => row.id)).toEqual([
      'seed-1-fulfillment.shipment.dispatched',
      'seed-1-orders.reservation.requested',
      'seed-2-orders.reservation.requested',
      'seed-3-orders.reservation.requested',
      'seed-3-orders.reservation.withdrawn',
      'seed-4-fulfillment.shipment.cancelled',
      'seed-4-orders.reservation.requested',
      'seed-4-orders.reservation.withdrawn',
      'seed-5-fulfillment.shipment.dispatched',
      'seed-5-orders.reservation.requested',
    ]);
    const said = (await service.emitted()).map((event) => envelope.parse(event));
    expect(said.map((event) => event.id)).toEqual(
      ['1', '2', '3', '4', '5'].map((id) => `seed-${id}-inventory.reservation.${id === '2' ? 'refused' : 'confirmed'}`),
    );
    const { disappointments } = await disappointedBy(said.map(({ type, data }) => ({ name: type, value: data })));
    expect(disappointments).toEqual([]);
  });
});
