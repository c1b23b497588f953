import { z } from 'zod';
import type { Queryable, Transaction } from '../_chassis/database.ts';

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

/** Takes over what the catalog says of a product, unless a newer version is known. */
export async function learnPrice(
  tx: Transaction,
  tenant: string,
  fact: { productId: string; name: string; price: { amount: number; currency: string }; version: number },
): Promise<void> {
  await tx.query(
    `insert into prices as p (tenant, product_id, name, amount, currency, version, retired)
     values ($1, $2, $3, $4, $5, $6, false)
     on conflict (tenant, product_id) do update
       set name = excluded.name, amount = excluded.amount, currency = excluded.currency, version = excluded.version, retired = false
       where p.version < excluded.version`,
    [tenant, fact.productId, fact.name, fact.price.amount, fact.price.currency, fact.version],
  );
}

/** Marks a product as no longer for sale, unless a newer version is known; the row stays. */
export async function retirePrice(
  tx: Transaction,
  tenant: string,
  fact: { productId: string; version: number },
): Promise<void> {
  await tx.query(
    `insert into prices as p (tenant, product_id, name, amount, currency, version, retired)
     values ($1, $2, '', 0, 'EUR', $3, true)
     on conflict (tenant, product_id) do update set version = excluded.version, retired = true
       where p.version < excluded.version`,
    [tenant, fact.productId, fact.version],
  );
}

/** Whether the catalog has been read to its end once. */
export async function knowsPrices(db: Queryable): Promise<boolean> {
  const rows = await db.query(`select 1 from catch_up_cursors where source = 'products' and cursor <> '0:0'`);
  return rows.length > 0;
}
