import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventType } from '../../services/_chassis/contract.ts';
import { projections } from '../../services/orders/projections.ts';
import { audit } from '../audit/audit.ts';
import { playHistory } from '../audit/test-support/history.ts';
import { connected } from '../audit/test-support/scratch.ts';
import { startSmallMesh, type SmallMesh } from '../audit/test-support/small-mesh.ts';
import { rebuild, type RebuildOptions } from './rebuild.ts';

let mesh: SmallMesh;
const urls = new Map<string, string>();
beforeAll(async () => {
  mesh = await startSmallMesh();
  for (const [name, url] of Object.entries(mesh.databases)) urls.set(name, url);
  await playHistory(mesh);
}, 300_000);
afterAll(async () => {
  await mesh.stop();
  await mesh.drop();
});

const databaseUrl = (name: string) => urls.get(name) ?? '';
const modelOf = (table: string) => {
  const projection = projections.find((one) => one.table === table);
  if (!projection) throw new Error(`no projection of ${table}`);
  return { service: 'orders', projection };
};
const replay = (table: string, options: Partial<RebuildOptions> = {}) =>
  rebuild(modelOf(table), { databaseUrl, ...options });
const sql = <Row extends Record<string, unknown>>(text: string) =>
  connected(databaseUrl('orders'), async (client) => (await client.query<Row>(text)).rows);
const violations = async () => {
  const { findings } = await audit({ databases: mesh.databases, drainTimeoutMs: 0 });
  return findings.flatMap((one) => one.violations.map((found) => ({ invariant: one.invariant, ...found })));
};

/** Everything by name that a migration may speak of, and what a rebuild might have left. */
const schema = () =>
  sql(`select relname::text as name, pg_get_indexdef(oid) as definition from pg_class
        where relnamespace = 'public'::regnamespace and relkind in ('r', 'i')
       union select conrelid::regclass || ' ' || conname, pg_get_constraintdef(oid) from pg_constraint where conrelid > 0
       union select proname, 'function' from pg_proc where pronamespace = 'public'::regnamespace
       union select tgname, 'trigger' from pg_trigger order by 1, 2`);
const identity = async (table: string) =>
  (await sql<{ oid: number }>(`select '${table}'::regclass::oid as oid`))[0]?.oid;

describe.each(['orders', 'prices'])('replay of %s', (table) => {
  it('when nothing is wrong, twice takes the place of what is there, row for row and name for name', async () => {
    const [rows, names] = [await sql(`select * from ${table} order by 1, 2`), await schema()];
    for (let time = 0; time < 2; time++) {
      const before = await identity(table);
      const result = await replay(table);
      expect(result).toMatchObject({ differing: 0, differences: [], swapped: true, rows: rows.length });
      expect(result.events).toBeGreaterThan(rows.length);
      expect(await identity(table)).not.toBe(before);
    }
    expect(await sql(`select * from ${table} order by 1, 2`)).toEqual(rows);
    expect(await schema()).toEqual(names);
    expect(await violations()).toEqual([]);
  });

  it.each([/rows/, /catching up/, /comparing/, /alone/])(
    'when it is killed while it tells of %s, leaves the rows as they are; the service goes on, the next one starts clean',
    async (stage) => {
      const [rows, names, before] = [
        await sql(`select * from ${table} order by 1, 2`),
        await schema(),
        await identity(table),
      ];
      const kill = `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'replay' and datname = current_database()`;
      let killed: Promise<unknown> | undefined;
      const onProgress = (text: string) => {
        if (stage.test(text)) killed ??= sql(kill);
      };
      // Held by a reader, so that its moment alone does not come before the kill.
      await connected(databaseUrl('orders'), async (reader) => {
        await reader.query(`begin; lock table ${table} in access share mode`);
        await expect(replay(table, { onProgress })).rejects.toThrow(/terminat|connection error/);
      });
      await killed;
      expect(await identity(table)).toBe(before);
      expect(await sql(`select * from ${table} order by 1, 2`)).toEqual(rows);
      expect((await schema()).length).toBeGreaterThan(names.length); // the kill left something to clean
      await sql(`update ${table} set version = version`);
      expect(await replay(table)).toMatchObject({ differing: 0, swapped: true });
      expect(await schema()).toEqual(names);
    },
  );

  it('when somebody holds the table, gives up in time, says who, and nothing was changed', async () => {
    const [before, names] = [await identity(table), await schema()];
    await connected(databaseUrl('orders'), async (holder) => {
      await holder.query(`set application_name = 'a report'; begin; lock table ${table} in access share mode`);
      const patience = { lockMs: 50, holdMs: 1_000, limitMs: 200 };
      await expect(replay(table, { patience })).rejects.toThrow(new RegExp(`${table} was in use.*a report`));
    });
    expect(await identity(table)).toBe(before);
    await replay(table);
    expect(await schema()).toEqual(names);
  });
});

describe('replay', () => {
  it('when rows are damaged, missing or groundless, names them and swaps only when told to', async () => {
    const before = await identity('orders');
    await sql(`update orders set state = 'paid', history = history - 3 where id = '1'`);
    await sql(`delete from orders where id = '2'`);
    await sql(`insert into orders select tenant, 'nobody', customer_id, state, version, items, total_amount, currency,
                 payment_token, allocation, history, created_at from orders where id = '5'`);
    const found = await replay('orders');
    expect(found).toMatchObject({ differing: 3, swapped: false });
    expect(found.differences).toMatchObject([
      {
        key: { tenant: 'main', id: '1' },
        kind: 'other',
        columns: [{ name: 'state', has: 'paid', replayed: 'shipped' }, { name: 'history' }],
      },
      { key: { id: '2' }, kind: 'missing' },
      { key: { id: 'nobody' }, kind: 'groundless' },
    ]);
    expect(await identity('orders')).toBe(before);
    expect(await sql(`select state from orders where id = '1'`)).toEqual([{ state: 'paid' }]);
    expect((await violations()).map(({ invariant }) => invariant)).toContain('I9');

    expect(await replay('orders', { swap: true })).toMatchObject({ differing: 3, swapped: true });
    expect(await violations()).toEqual([]);
    expect(await replay('orders')).toMatchObject({ differing: 0, swapped: true });
  });

  it('when a price was damaged, finds and mends it; events that failed, or came in another order, make no difference', async () => {
    const tell = (name: string, data: object) => {
      const fact = { productId: '300', ...data };
      return mesh.orders.deliver({
        source: 'products',
        topic: 'products.events',
        type: eventType('products', name),
        subject: '300',
        data: fact,
        id: `of-300-${JSON.stringify(data)}`,
      });
    };
    const price = (version: number) => ({ version, name: `V${version}`, price: { amount: version, currency: 'EUR' } });
    const events = [
      ['product.retired', { version: 3 }],
      ['product.priced', price(1)],
      ['product.priced', price(2)],
    ] as const;
    for (const [name, data] of events) await tell(name, data);
    await connected(databaseUrl('products'), (client) =>
      client.query(
        `insert into outbox (id, tenant, topic, type, subject, envelope)
         select e ->> 'id', 'main', 'products.events', e ->> 'type', '300', e from json_array_elements($1) as e`,
        [
          JSON.stringify(
            [...events, ['product.priced', price(9)] as const].reverse().map(([name, data]) => ({
              specversion: '1.0',
              id: `of-300-${JSON.stringify(data)}`,
              source: 'urn:sidecart:products',
              type: eventType('products', name),
              subject: '300',
              tenant: 'main',
              time: new Date().toISOString(),
              topic: 'products.events',
              data: { productId: '300', ...data },
            })),
          ),
        ],
      ),
    );
    // The ninth version is in the log, and orders has not taken it in.
    expect(await replay('prices')).toMatchObject({ differing: 0, swapped: true });
    await sql(`update prices set amount = amount + 1 where product_id = '7'`);
    const found = await replay('prices');
    expect(found).toMatchObject({
      differing: 1,
      differences: [{ key: { product_id: '7' }, columns: [{ name: 'amount' }] }],
    });
    expect(await replay('prices', { swap: true })).toMatchObject({ differing: 1, swapped: true });
    expect(await replay('prices')).toMatchObject({ differing: 0 });
    await connected(databaseUrl('products'), (client) => client.query(`delete from outbox where subject = '300'`));
    await sql(
      `delete from inbox where subject = '300' and source = 'urn:sidecart:products'; delete from prices where product_id = '300'`,
    );
  });

  it('when another one is at work, refuses', async () => {
    await connected(databaseUrl('orders'), async (reader) => {
      await reader.query('begin; lock table orders in access share mode'); // the first one can't end before the second came
      const begun = Promise.withResolvers<void>();
      const first = replay('orders', { onProgress: () => begun.resolve() });
      await begun.promise;
      await expect(replay('prices')).rejects.toThrow('another replay');
      await reader.query('commit');
      expect(await first).toMatchObject({ swapped: true });
    });
  });

  it('when orders are placed, moved and read all the while, loses nothing, and nobody gets an error', async () => {
    let over = false;
    const until = async (work: () => Promise<unknown>) => {
      let done = 0;
      for (; !over; done++) await work();
      return done;
    };
    const customer = await mesh.orders.as({ sub: '1', roles: ['customer'] });
    const order = { items: [{ productId: '20', quantity: 1 }], paymentToken: 'tok_ok' };
    const placed: string[] = [];
    const place = async () => {
      const answer = await customer.placeOrder(order);
      if (answer.kind !== 'placed') throw new Error(answer.kind);
      placed.push(answer.order.id);
      if (placed.length % 5 === 0) await customer.cancelOrder({ orderId: answer.order.id });
      await delay(20);
    };
    const read = async () => {
      const [last = '1'] = placed.slice(-1);
      const answer = await customer.getOrder({ orderId: last });
      if (answer.kind !== 'found') throw new Error(`${last} is ${answer.kind}`);
    };
    const reprice = async (version: number) => {
      const staff = await mesh.products.as({ sub: '3', roles: ['staff'] });
      const price = { amount: 1_000 + version, currency: 'EUR' as const };
      const answer = await staff.changeProduct({ productId: '20', change: { price } });
      if (answer.kind !== 'changed') throw new Error(answer.kind);
      await delay(20);
    };
    // A driver that prepares its statements by name keeps their plans from before the swap.
    const prepared = connected(databaseUrl('orders'), (client) =>
      until(() => client.query({ name: 'kept', text: 'select * from orders where id = $1', values: ['1'] })),
    );
    let version = 0;
    const work = [
      until(place),
      until(read),
      until(() => reprice(++version)),
      until(() => mesh.deliver().then(() => delay(20))),
      prepared,
    ];
    const replays = (async () => {
      for (let time = 0; time < 3; time++) {
        for (const table of ['orders', 'prices']) {
          const result = await replay(table);
          expect(result).toMatchObject({ table, differing: 0, swapped: true });
          expect(result.lockedMs).toBeLessThan(3_000); // what services wait for a lock
        }
        const orders = placed.length;
        await expect.poll(() => placed.length, { timeout: 20_000 }).toBeGreaterThan(orders);
      }
    })();
    await Promise.race([replays, ...work.map((one) => one.then(() => replays))]).finally(() => (over = true));
    await Promise.all(work);
    expect(placed.length).toBeGreaterThan(20);
    await mesh.deliverUntilNone(
      'orders',
      `select 1 from orders where state not in ('shipped', 'rejected', 'payment-failed', 'cancelled')`,
    );
    await mesh.deliver();
    expect(await violations()).toEqual([]);
  }, 180_000);
});
