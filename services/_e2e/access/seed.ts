import type { Queryable } from '../../_chassis/database.ts';
import { warehouse } from '../../inventory/contract.ts';
import { appendEvents } from '../../orders/store.ts';
import { seedAuth, seedUsers } from './seed-people.ts';
import { bystander, marker, orders, productIds, stockOf, tenants, type Kind, type Tenant } from './world.ts';

// The rows that a service begins with, by its name; each row says by its marker whose it is.

const catalog = tenants.flatMap((tenant) => productIds[tenant].map((id) => ({ tenant, id })));
const price = { amount: 1_000, currency: 'EUR' };

async function seedProducts(db: Queryable): Promise<void> {
  for (const { tenant, id } of catalog)
    await db.query(
      `insert into products (tenant, id, name, category, amount, currency, version) values ($1, $2, $3, 'home', $4, $5, 1)`,
      [tenant, id, marker('catalog', tenant), price.amount, price.currency],
    );
}

async function seedInventory(db: Queryable): Promise<void> {
  for (const { tenant, id } of catalog)
    await db.query(
      `insert into stock (tenant, product_id, warehouse, available, received)
       select $1, $2, warehouse, units, units from (values ($3, $5::bigint), ($4, $6::bigint)) as held (warehouse, units)`,
      [tenant, id, ...warehouse.options, stockOf(tenant), tenant === 'other' ? 0 : stockOf(tenant)],
    );
}

async function seedOrders(db: Queryable): Promise<void> {
  for (const { tenant, id } of catalog)
    await db.query(
      `insert into prices (tenant, product_id, name, amount, currency, version, retired) values ($1, $2, $3, $4, $5, 1, false)`,
      [tenant, id, marker('catalog', tenant), price.amount, price.currency],
    );
  for (const order of orders) await seedOrder(db, 'order', order);
  await seedOrder(db, 'showcase', { id: '1', tenant: 'main', owner: '1', state: 'done' });
}

async function seedOrder(
  db: Queryable,
  kind: Kind,
  order: { id: string; tenant: Tenant; owner: string; state: string },
) {
  const { tenant, id: orderId, owner } = order;
  const name = marker(kind, tenant, owner);
  const placed = {
    customerId: owner,
    items: [{ productId: 'lamp', name, quantity: 1, unitPrice: price }],
    total: price,
    paymentToken: marker('secret', tenant, owner),
  };
  const event = { tenant, orderId, at: new Date('2026-01-01T00:00:00.000Z') };
  const write = (sql: string, values: readonly unknown[] = []) => void statements.push([sql, values]);
  const statements: [string, readonly unknown[]][] = [];
  appendEvents({ write }, undefined, [
    { ...event, version: 1, type: 'placed', data: placed },
    ...(order.state === 'done' ? [{ ...event, version: 2, type: 'rejected', data: { reason: name } } as const] : []),
  ]);
  for (const [sql, values] of statements) await db.query(sql, values);
}

export const seeds: Readonly<Record<string, (db: Queryable) => Promise<void>>> = {
  products: seedProducts,
  inventory: seedInventory,
  orders: seedOrders,
  users: seedUsers,
  auth: seedAuth,
};

/** Every row of the tenant in which nothing happens, and of the bystander, as one text. */
export async function stillRows(db: Queryable): Promise<string> {
  const tables = await db.query<{ name: string }>(
    `select table_name as name from information_schema.columns
      where table_schema = 'public' and column_name = 'tenant' order by table_name`,
  );
  const texts = [];
  for (const { name } of tables) {
    const rows = await db.query(
      `select to_jsonb(t)::text as row from "${name}" t where tenant = 'quiet' or to_jsonb(t)::text like '%${bystander}%' order by 1`,
    );
    texts.push(JSON.stringify([name, rows]));
  }
  return texts.join('\n');
}

/** What events say in one tenant of another, a line each; whoever reads them is told what is not his tenant's. */
export async function saidAstray(db: Queryable): Promise<string[]> {
  const said = await db.query<{ tenant: string; type: string; text: string }>(
    'select tenant, type, envelope::text as text from outbox order by position',
  );
  return said.flatMap(({ tenant, type, text }) =>
    [...text.matchAll(/zz-[a-z]+-([a-z]+)-\w+-zz/g)].flatMap(([whole, of]) =>
      of === tenant ? [] : [`${type} says ${whole} in ${tenant}`],
    ),
  );
}

/** Takes row-level security away, so that nothing but the services' own checks is left. */
export async function unlock(db: Queryable): Promise<void> {
  const tables = await db.query<{ name: string }>(
    `select relname as name from pg_class
      where relrowsecurity and relkind = 'r' and relnamespace = 'public'::regnamespace`,
  );
  for (const { name } of tables) await db.query(`alter table "${name}" disable row level security`);
}
