import { z } from 'zod';
import type { Entry } from '../_chassis/cache-entries.ts';
import { outdate } from '../_chassis/cached-rows.ts';
import type { Queryable, Transaction } from '../_chassis/database.ts';
import { product, type Product } from './contract.ts';

const productRow = z
  .object({
    id: z.string(),
    name: z.string(),
    category: z.string(),
    amount: z.coerce.number().int(), // bigint, which PostgreSQL's driver gives as text
    currency: z.string(),
    version: z.number().int(),
  })
  .transform(({ amount, currency, ...row }): Product => ({ ...row, price: { amount, currency } }));
const retirableRow = z.object({ retired: z.boolean() });
const listedRow = z.object({ position: z.coerce.number().int() });

const columns = 'id, name, category, amount, currency, version';

/** A product's version now, with what it is, or null when it is retired; undefined when it was never there. */
export async function findProduct(db: Queryable, tenant: string, id: string): Promise<Entry<Product> | undefined> {
  const [row] = await db.query(
    `select ${columns}, retired_at is not null as retired from products where tenant = $1 and id = $2`,
    [tenant, id],
  );
  if (!row) return undefined;
  const found = productRow.parse(row);
  return { version: found.version, value: retirableRow.parse(row).retired ? null : found };
}

/** The rows behind the product cache. */
export const cachedProducts = { table: 'products', value: product, load: findProduct };

/** A page of what can be bought, in the order in which products came; `position` is where the page ends. */
export async function listProducts(
  db: Queryable,
  page: { tenant: string; query: string; category: string | undefined; after: number; limit: number },
): Promise<{ product: Product; position: number }[]> {
  const rows = await db.query(
    `select ${columns}, position from products
      where tenant = $1 and retired_at is null and position > $2
        and ($3::text is null or category = $3)
        and ($4 = '' or name ilike '%' || $4 || '%')
      order by position limit $5`,
    [page.tenant, page.after, page.category ?? null, literally(page.query), page.limit],
  );
  return rows.map((row) => ({ product: productRow.parse(row), position: listedRow.parse(row).position }));
}

/** A text as a pattern that finds just this text. */
const literally = (text: string): string => text.replace(/[\\%_]/g, '\\$&');

/** Adds a product at the end of the catalog. */
export function addProduct(tx: Transaction, tenant: string, product: Product): void {
  const { id, name, category, price, version } = product;
  tx.write(
    'insert into products (tenant, id, name, category, amount, currency, version) values ($1, $2, $3, $4, $5, $6, $7)',
    [tenant, id, name, category, price.amount, price.currency, version],
  );
}

/** The product, locked until the transaction ends; undefined when it is retired or was never there. */
export async function lockProduct(tx: Transaction, tenant: string, id: string): Promise<Product | undefined> {
  const [row] = await tx.query(
    `select ${columns} from products where tenant = $1 and id = $2 and retired_at is null for update`,
    [tenant, id],
  );
  return row && productRow.parse(row);
}

/** Writes a locked product's next version, and that the cache has yet to learn of it. */
export function changeProduct(tx: Transaction, tenant: string, product: Product): void {
  const { id, name, category, price, version } = product;
  tx.write(
    `update products set name = $3, category = $4, amount = $5, currency = $6, version = $7
      where tenant = $1 and id = $2`,
    [tenant, id, name, category, price.amount, price.currency, version],
  );
  outdate(tx, tenant, id, version);
}

/** Takes a locked product out of the catalog with its last version; its row stays. */
export function retireProduct(tx: Transaction, tenant: string, id: string, version: number): void {
  tx.write('update products set retired_at = clock_timestamp(), version = $3 where tenant = $1 and id = $2', [
    tenant,
    id,
    version,
  ]);
  outdate(tx, tenant, id, version);
}
