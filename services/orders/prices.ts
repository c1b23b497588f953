import { z } from 'zod';
import { on, type EventHandler } from '../_chassis/consumer.ts';
import { eventType } from '../_chassis/contract.ts';
import type { Queryable } from '../_chassis/database.ts';
import * as expected from './expectations.ts';

// All SQL of our own copy of the catalog's prices.

const price = z.object({ productId: z.string(), name: z.string(), amount: z.coerce.number(), currency: z.string() });

/** Name and price of those of the products that are for sale, by id. */
export async function findPrices(
  db: Queryable,
  tenant: string,
  ids: readonly string[],
): Promise<Map<string, z.infer<typeof price>>> {
  const rows = await db.query(
    `select product_id as "productId", name, amount, currency from prices
      where tenant = $1 and product_id = any($2) and not retired`,
    [tenant, ids],
  );
  return new Map(rows.map((row) => price.parse(row)).map((found) => [found.productId, found]));
}

/**
 * What each event of the catalog does to our price list, or to the table that will take its place. Only the newest version
 * counts and a retired product keeps nothing else, so that the rows are the same in whatever order the events came.
 */
export const priceHandlers = (table = 'prices'): Readonly<Record<string, EventHandler>> => ({
  [eventType('products', 'product.priced')]: on(expected.productPriced, (tx, fact, { tenant }) =>
    keepNewest(tx, table, { tenant, ...fact, retired: false }),
  ),
  [eventType('products', 'product.retired')]: on(expected.productRetired, (tx, fact, { tenant }) =>
    keepNewest(tx, table, { tenant, ...fact, name: '', price: { amount: 0, currency: 'EUR' }, retired: true }),
  ),
});

type Fact = z.infer<typeof expected.productPriced> & { readonly tenant: string; readonly retired: boolean };

async function keepNewest(db: Queryable, table: string, fact: Fact): Promise<void> {
  const { tenant, productId, name, price, version, retired } = fact;
  await db.query(
    `insert into ${table} as p (tenant, product_id, name, amount, currency, version, retired)
     values ($1, $2, $3, $4, $5, $6, $7)
     on conflict (tenant, product_id) do update
       set name = excluded.name, amount = excluded.amount, currency = excluded.currency, version = excluded.version,
           retired = excluded.retired
       where p.version < excluded.version`,
    [tenant, productId, name, price.amount, price.currency, version, retired],
  );
}

/** Whether the catalog has been read to its end once. */
export async function knowsPrices(db: Queryable): Promise<boolean> {
  const rows = await db.query(`select 1 from catch_up_cursors where source = 'products' and cursor <> '0:0'`);
  return rows.length > 0;
}
