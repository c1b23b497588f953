import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestService } from '../_chassis/test-support/service.ts';
import { disappointedBy } from '../_e2e/expectations.ts';
import type { inventoryContract } from './contract.ts';
import { createWatch, ledgerProblems, numbers, receive, speaker, startInventory, stock } from './test-support.ts';

let service: TestService<typeof inventoryContract>;
let orders: ReturnType<typeof speaker>;
const watch = createWatch();

beforeAll(async () => {
  service = await startInventory(watch.over);
  orders = speaker(service, 10);
});
afterAll(() => service.close());

const answers = async (orderId: string) =>
  (await service.emitted())
    .filter((event) => event.subject === orderId)
    .map(({ type, data }) => ({ type: type.split('.').at(-2), data }));
const kinds = async (orderId: string) => (await answers(orderId)).map((answer) => answer.type);
const inbox = (id: string) => service.database.query('select status, attempts, cause from inbox where id = $1', [id]);

describe('reservation.requested', () => {
  it('when all lines fit, they are reserved, confirmed with their warehouses, and booked in few statements', async () => {
    await receive(service, 'lamp', 3);
    await receive(service, 'lamp', 5, 'south');
    await receive(service, 'desk', 1);
    watch.statements = 0;
    const lines = [
      { productId: 'lamp', quantity: 6 },
      { productId: 'desk', quantity: 1 },
    ];

    expect(await orders.request('fits', lines)).toBe('SUCCESS');
    expect(watch.statements).toBe(3); // inbox, reservation, stock; all that is booked goes out unawaited
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
    expect(await stock(service, 'lamp')).toEqual({ available: 2, reserved: 6 });
  });

  it('when one line lacks, no stock is touched and the answer says what is missing', async () => {
    await receive(service, 'pen', 10);
    const lines = [
      { productId: 'pen', quantity: 2 },
      { productId: 'ink', quantity: 1 },
    ];

    await orders.request('lacks', lines);
    const missing = [{ productId: 'ink', requested: 1, available: 0 }];
    expect(await answers('lacks')).toEqual([{ type: 'refused', data: { orderId: 'lacks', missing } }]);
    await orders.withdraw('lacks');
    expect(await stock(service, 'pen')).toEqual({ available: 10, reserved: 0 });
  });

  it('when it is delivered twice, it is reserved and answered once', async () => {
    await receive(service, 'cup', 4);
    const lines = [{ productId: 'cup', quantity: 3 }];

    expect([await orders.request('twice', lines), await orders.request('twice', lines)]).toEqual([
      'SUCCESS',
      'SUCCESS',
    ]);
    expect(await stock(service, 'cup')).toEqual({ available: 1, reserved: 3 });
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
    await receive(service, 'rug', 1);
    watch.away = true;
    expect(await speaker(service).request('away', [{ productId: 'rug', quantity: 1 }])).toBe('RETRY');
    watch.away = false;

    expect(await inbox('away-reservation.requested')).toEqual([]);
    expect(await orders.request('away', [{ productId: 'rug', quantity: 1 }])).toBe('SUCCESS');
    expect(await kinds('away')).toEqual(['confirmed']);
  });
});

describe('reservation.withdrawn', { timeout: 120_000 }, () => {
  it('when it comes after the request, everything goes back', async () => {
    await receive(service, 'pot', 5);
    await orders.request('back', [{ productId: 'pot', quantity: 4 }]);
    await orders.withdraw('back');

    expect(await stock(service, 'pot')).toEqual({ available: 5, reserved: 0 });
    expect(await kinds('back')).toEqual(['confirmed']);
  });

  it('when it overtakes the request, its tombstone keeps the stock and nobody is answered', async () => {
    await receive(service, 'pan', 5);
    await orders.withdraw('overtaken');
    await orders.request('overtaken', [{ productId: 'pan', quantity: 4 }]);

    expect(await stock(service, 'pan')).toEqual({ available: 5, reserved: 0 });
    expect(await kinds('overtaken')).toEqual([]);
  });

  it('when it comes at the same moment as the request, nothing stays reserved', async () => {
    await receive(service, 'jar', 50);
    const both = numbers(100).flatMap((n) => {
      const request = () => orders.request(`race-${n}`, [{ productId: 'jar', quantity: 1 }]);
      const withdraw = () => orders.withdraw(`race-${n}`);
      return n % 2 ? [request(), withdraw()] : [withdraw(), request()];
    });

    expect(new Set(await Promise.all(both))).toEqual(new Set(['SUCCESS']));
    expect(await stock(service, 'jar')).toEqual({ available: 50, reserved: 0 });
    const states = await service.database.query<{ state: string }>(
      `select distinct state from reservations where order_id like 'race-%' and state not in ('released', 'refused')`,
    );
    expect(states).toEqual([]);
  });
});

describe('shipment.dispatched', () => {
  it('when it comes, the reserved units are gone for good, by the reservation’s own lines', async () => {
    await receive(service, 'mug', 2);
    await orders.request('sent', [{ productId: 'mug', quantity: 2 }]);
    expect([await orders.dispatch('sent'), await orders.dispatch('sent')]).toEqual(['SUCCESS', 'SUCCESS']);

    expect(await stock(service, 'mug')).toEqual({ available: 0, reserved: 0 });
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

describe('consumers', () => {
  it('when they read what was really said, none is disappointed; a renamed field is noticed', async () => {
    const shelf = { productId: 'lamp', warehouse: 'north' } as const;
    const person = await service.as({ sub: '4', roles: ['warehouse'] });
    const adjust = (quantity: number) => person.adjustStock({ ...shelf, quantity, reason: 'counted' });
    const said = [
      ...(await service.emitted()).map(({ type, data }) => ({ name: type, value: data })),
      { name: 'inventory.getStock', value: await person.getStock({ productId: 'lamp' }) },
      { name: 'inventory.getStock', value: await person.getStock({ productId: 'nothing' }) },
      { name: 'inventory.receiveStock', value: await person.receiveStock({ ...shelf, quantity: 1 }) },
      { name: 'inventory.adjustStock', value: await adjust(1) },
      { name: 'inventory.adjustStock', value: await adjust(-1_000) },
    ];
    expect(await disappointedBy(said)).toEqual({ disappointments: [], unread: [] });

    const renamed = said.map(({ name, value }) => ({
      name,
      value: JSON.parse(JSON.stringify(value).replaceAll('"warehouse"', '"depot"')) as unknown,
    }));
    const consumers = (await disappointedBy(renamed)).disappointments.map((d) => d.consumer);
    expect(new Set(consumers)).toEqual(new Set(['orders', 'gateway']));
    expect(await ledgerProblems(service.database)).toEqual([]);
  });
});
