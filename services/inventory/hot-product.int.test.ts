import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestService } from '../_chassis/test-support/service.ts';
import type { inventoryContract } from './contract.ts';
import { createWatch, ledgerProblems, numbers, receive, speaker, startInventory, stock } from './test-support.ts';

const watch = createWatch();
let service: TestService<typeof inventoryContract>;
let orders: ReturnType<typeof speaker>;
beforeAll(async () => {
  service = await startInventory(watch.over);
  orders = speaker(service, 10);
});
afterAll(() => service.close());

/** Keeps 40 deliveries under way, as two replicas' brokers do: more than the database takes at once. */
async function sideBySide<T>(count: number, deliver: (n: number) => Promise<T>): Promise<T[]> {
  const left = numbers(count);
  const results: T[] = [];
  const worker = async () => {
    for (let n = left.shift(); n !== undefined; n = left.shift()) results.push(await deliver(n));
  };
  await Promise.all(Array.from({ length: 40 }, worker));
  return results;
}

describe('a hot product', { timeout: 300_000 }, () => {
  it('when 10,000 buyers want 100 units, exactly 100 get one', async () => {
    await receive(service, 'hot', 60);
    await receive(service, 'hot', 40, 'south');
    const answers = await sideBySide(10_000, (n) => orders.request(`hot-${n}`, [{ productId: 'hot', quantity: 1 }]));
    expect(new Set(answers)).toEqual(new Set(['SUCCESS']));

    const said = (await service.emitted()).filter((event) => event.subject.startsWith('hot-'));
    const confirmed = said.filter((event) => event.type.includes('confirmed'));
    expect([said.length, confirmed.length]).toEqual([10_000, 100]);
    expect(await stock(service, 'hot')).toEqual({ available: 0, reserved: 100 });
    const failed = await service.database.query(`select id from inbox where attempts > 0 and subject like 'hot-%'`);
    expect(failed).toEqual([]);
  });

  it('when it is sold out, whoever comes is refused without waiting for a lock', async () => {
    await receive(service, 'sold', 1);
    await orders.request('last-one', [{ productId: 'sold', quantity: 1 }]);
    const answer = await service.database.of('main').transaction(async (tx) => {
      await tx.query(`select 1 from stock where product_id = 'sold' for update`);
      return speaker(service).request('too-late', [{ productId: 'sold', quantity: 1 }]);
    });

    expect(answer).toBe('SUCCESS');
    const [reservation] = await service.database.query(`select state from reservations where order_id = 'too-late'`);
    expect(reservation).toEqual({ state: 'refused' });
  });

  it('when orders want the same products in opposite order, none has to be broken off', async () => {
    await receive(service, 'left', 100);
    await receive(service, 'right', 100);
    Object.assign(watch, { attempts: 0, transactions: 0 });
    const line = (productId: string) => ({ productId, quantity: 1 });
    const both = [line('left'), line('right')];
    await sideBySide(100, (n) => orders.request(`cross-${n}`, n % 2 ? both : both.toReversed()));
    await sideBySide(100, (n) => (n % 3 ? orders.withdraw(`cross-${n}`) : orders.dispatch(`cross-${n}`)));

    expect(watch.attempts).toBe(watch.transactions);
    expect(watch.transactions).toBeLessThan(200); // many were handled in one
    expect(await stock(service, 'left')).toEqual({ available: 66, reserved: 0 });
    expect(await stock(service, 'right')).toEqual({ available: 66, reserved: 0 });
    expect(await ledgerProblems(service.database)).toEqual([]);
  });
});
