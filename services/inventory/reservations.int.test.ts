import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestDatabase } from '../_chassis/test-support/database.ts';
import type { TestService } from '../_chassis/test-support/service.ts';
import { disappointedBy } from '../_e2e/expectations.ts';
import type { inventoryContract } from './contract.ts';
import { ledgerProblems, speaker, startInventory } from './test-support.ts';

let service: TestService<typeof inventoryContract>;
let orders: ReturnType<typeof speaker>;
let databaseIsAway = false;
let statements = 0;

/** Counts the statements of transactions, and lets them fail as a restarting PostgreSQL does. */
const watched = (database: TestDatabase): TestDatabase => ({
  ...database,
  transaction: (work) =>
    database.transaction((tx) => {
      if (databaseIsAway) throw Object.assign(new Error('the database system is shutting down'), { code: '57P03' });
      return work({ ...tx, query: (sql, values) => (statements++, tx.query(sql, values)) });
    }),
});

beforeAll(async () => {
  service = await startInventory(watched);
  orders = speaker(service, 10);
});
afterAll(() => service.close());

const receive = async (productId: string, quantity: number, warehouse: 'north' | 'south' = 'north') => {
  const person = await service.as({ sub: '4', roles: ['warehouse'] });
  await person.receiveStock({ productId, warehouse, quantity });
};
const stock = async (productId: string) => {
  const answer = await (await service.as()).getStock({ productId });
  return answer.kind === 'stock' ? { available: answer.stock.available, reserved: answer.stock.reserved } : undefined;
};
const answers = async (orderId: string) =>
  (await service.emitted())
    .filter((event) => event.subject === orderId)
    .map(({ type, data }) => ({ type: type.split('.').at(-2), data }));
const kinds = async (orderId: string) => (await answers(orderId)).map((answer) => answer.type);
const inbox = (id: string) => service.database.query('select status, attempts, cause from inbox where id = $1', [id]);
const numbers = (count: number) => Array.from({ length: count }, (_, index) => index);

describe('reservation.requested', () => {
  it('when all lines fit, they are reserved, confirmed with their warehouses, and booked in few statements', async () => {
    await receive('lamp', 3);
    await receive('lamp', 5, 'south');
    await receive('desk', 1);
    statements = 0;
    const lines = [
      { productId: 'lamp', quantity: 6 },
      { productId: 'desk', quantity: 1 },
    ];

    expect(await orders.request('fits', lines)).toBe('SUCCESS');
    expect(statements).toBe(4); // inbox, reservation, stock, and all that is booked
    expect(await answers('fits')).toEqual([
      {
        type: 'confirmed',
        data: {
          orderId: 'fits',
          lines: [
            { productId: 'lamp', warehouse: 'south', quantity: 5 },
            { productId: 'lamp', warehouse: 'north', quantity: 1 },
            { productId: 'desk', warehouse: 'north', quantity: 1 },
          ],
        },
      },
    ]);
    expect(await stock('lamp')).toEqual({ available: 2, reserved: 6 });
  });

  it('when one line lacks, no stock is touched and the answer says what is missing', async () => {
    await receive('pen', 10);
    const lines = [
      { productId: 'pen', quantity: 2 },
      { productId: 'ink', quantity: 1 },
    ];

    await orders.request('lacks', lines);
    const missing = [{ productId: 'ink', requested: 1, available: 0 }];
    expect(await answers('lacks')).toEqual([{ type: 'refused', data: { orderId: 'lacks', missing } }]);
    await orders.withdraw('lacks');
    expect(await stock('pen')).toEqual({ available: 10, reserved: 0 });
  });

  it('when it is delivered twice, it is reserved and answered once', async () => {
    await receive('cup', 4);
    const lines = [{ productId: 'cup', quantity: 3 }];

    expect([await orders.request('twice', lines), await orders.request('twice', lines)]).toEqual([
      'SUCCESS',
      'SUCCESS',
    ]);
    expect(await stock('cup')).toEqual({ available: 1, reserved: 3 });
    expect(await kinds('twice')).toEqual(['confirmed']);
  });

  it('when it cannot be read, it is tried again until its budget is spent, and is then a dead letter', async () => {
    const tries = [];
    for (let n = 0; n < 10; n++)
      tries.push(await speaker(service).request('poison', [{ productId: 'cup', quantity: -1 }]));

    expect(tries).toEqual([...numbers(9).map(() => 'RETRY'), 'SUCCESS']);
    expect(await inbox('poison-reservation.requested')).toMatchObject([{ status: 'failed', attempts: 10 }]);
  });

  it('when the database goes away, it comes again and no budget is spent', async () => {
    await receive('rug', 1);
    databaseIsAway = true;
    expect(await speaker(service).request('away', [{ productId: 'rug', quantity: 1 }])).toBe('RETRY');
    databaseIsAway = false;

    expect(await inbox('away-reservation.requested')).toEqual([]);
    expect(await orders.request('away', [{ productId: 'rug', quantity: 1 }])).toBe('SUCCESS');
    expect(await kinds('away')).toEqual(['confirmed']);
  });
});

describe('reservation.withdrawn', () => {
  it('when it comes after the request, everything goes back', async () => {
    await receive('pot', 5);
    await orders.request('back', [{ productId: 'pot', quantity: 4 }]);
    await orders.withdraw('back');

    expect(await stock('pot')).toEqual({ available: 5, reserved: 0 });
    expect(await kinds('back')).toEqual(['confirmed']);
  });

  it('when it overtakes the request, its tombstone keeps the stock and nobody is answered', async () => {
    await receive('pan', 5);
    await orders.withdraw('overtaken');
    await orders.request('overtaken', [{ productId: 'pan', quantity: 4 }]);

    expect(await stock('pan')).toEqual({ available: 5, reserved: 0 });
    expect(await kinds('overtaken')).toEqual([]);
  });

  it('when it comes at the same moment as the request, nothing stays reserved', async () => {
    await receive('jar', 50);
    const both = numbers(100).flatMap((n) => {
      const request = () => orders.request(`race-${n}`, [{ productId: 'jar', quantity: 1 }]);
      const withdraw = () => orders.withdraw(`race-${n}`);
      return n % 2 ? [request(), withdraw()] : [withdraw(), request()];
    });

    expect(new Set(await Promise.all(both))).toEqual(new Set(['SUCCESS']));
    expect(await stock('jar')).toEqual({ available: 50, reserved: 0 });
    const states = await service.database.query<{ state: string }>(
      `select distinct state from reservations where order_id like 'race-%' and state not in ('released', 'refused')`,
    );
    expect(states).toEqual([]);
  });
});

describe('shipment.dispatched', () => {
  it('when it comes, the reserved units are gone for good, by the reservation’s own lines', async () => {
    await receive('mug', 2);
    await orders.request('sent', [{ productId: 'mug', quantity: 2 }]);
    expect([await orders.dispatch('sent'), await orders.dispatch('sent')]).toEqual(['SUCCESS', 'SUCCESS']);

    expect(await stock('mug')).toEqual({ available: 0, reserved: 0 });
    const [row] = await service.database.query(`select shipped from stock where product_id = 'mug' and shipped > 0`);
    expect(row).toEqual({ shipped: '2' });
  });

  it('when nothing was reserved, it is impossible: nothing changes and the cause is kept', async () => {
    expect(await orders.dispatch('nobody')).toBe('SUCCESS');

    const cause = 'inventory: shipment.dispatched is impossible in state none';
    expect(await inbox('nobody-shipment.dispatched')).toMatchObject([{ status: 'failed', cause }]);
    expect(await service.database.query(`select 1 from reservations where order_id = 'nobody'`)).toEqual([]);
  });
});

describe('a hot product', () => {
  it('when 500 buyers want 100 units at once, exactly 100 get one', async () => {
    await receive('hot', 60);
    await receive('hot', 40, 'south');
    const deliveries = numbers(500).map((n) => orders.request(`hot-${n}`, [{ productId: 'hot', quantity: 1 }]));
    expect(new Set(await Promise.all(deliveries))).toEqual(new Set(['SUCCESS']));

    const said = (await service.emitted()).filter((event) => event.subject.startsWith('hot-'));
    const confirmed = said.filter((event) => event.type.includes('confirmed'));
    expect([said.length, confirmed.length]).toEqual([500, 100]);
    expect(await stock('hot')).toEqual({ available: 0, reserved: 100 });
  });

  it('when orders want the same products in opposite order, none waits for another for ever', async () => {
    await receive('left', 100);
    await receive('right', 100);
    const line = (productId: string) => ({ productId, quantity: 1 });
    const both = numbers(100).map((n) =>
      orders.request(`cross-${n}`, n % 2 ? [line('left'), line('right')] : [line('right'), line('left')]),
    );
    await Promise.all(both);
    await Promise.all(numbers(100).map((n) => (n % 3 ? orders.withdraw(`cross-${n}`) : orders.dispatch(`cross-${n}`))));

    expect(await stock('left')).toEqual({ available: 66, reserved: 0 });
    expect(await stock('right')).toEqual({ available: 66, reserved: 0 });
    expect(await ledgerProblems(service.database)).toEqual([]);
  });
});

describe('consumers', () => {
  it('when they read what was really said, none is disappointed; a renamed field is noticed', async () => {
    const said = (await service.emitted()).map(({ type, data }) => ({ name: type, value: data }));
    expect((await disappointedBy(said)).disappointments).toEqual([]);

    const renamed = said.map(({ name, value }) => ({
      name,
      value: JSON.parse(JSON.stringify(value).replaceAll('"warehouse"', '"depot"')) as unknown,
    }));
    expect((await disappointedBy(renamed)).disappointments.map((d) => d.consumer)).toContain('orders');
  });
});
