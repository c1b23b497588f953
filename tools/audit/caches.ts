import { z } from 'zod';
import type { Books } from './books.ts';
import type { Findings } from './findings.ts';
import { shown } from './orders.ts';

const productRow = z.object({
  id: z.string(),
  name: z.string(),
  category: z.string(),
  amount: z.coerce.number(),
  currency: z.string(),
  version: z.number(),
  retired: z.boolean(),
});
type Product = z.infer<typeof productRow>;
const answer = z.object({
  name: z.string(),
  category: z.string(),
  price: z.object({ amount: z.number(), currency: z.string() }),
  version: z.number(),
});

const most = 1_000;
const atOnce = 8;

/**
 * I15 of the product cache, seen as everybody sees it: each product read through the gateway, twice because the first
 * read may fill the cache, is what its row says. Gives how many could not be read; those prove nothing.
 */
export async function checkCaches(
  findings: Findings,
  { products }: Pick<Books, 'products'>,
  gateway: string,
): Promise<number> {
  const rows = await products.rows(
    productRow,
    `select id, name, category, amount, currency, version, retired_at is not null as retired
       from products where tenant = 'main' order by position limit ${most}`,
  );
  let unread = 0;
  const queue = rows.values();
  const read = async () => {
    for (const product of queue) {
      for (let time = 0; time < 2; time++) {
        const url = new URL(`/api/products/${encodeURIComponent(product.id)}`, gateway);
        const response = await fetch(url, { signal: AbortSignal.timeout(5_000) }).catch(() => undefined);
        const body: unknown = await response?.json().catch(() => undefined);
        if (response?.status !== 200 && response?.status !== 404) {
          unread += 1;
          continue;
        }
        findings.checked('I15');
        const cache = response.headers.get('x-cache') ?? 'no cache';
        const problem = problemOf(product, response.status, body);
        if (problem) findings.wrong('I15', `product ${product.id}`, `through the gateway (${cache}): ${problem}`);
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, read));
  return unread;
}

function problemOf(product: Product, status: number, body: unknown): string | undefined {
  if (product.retired) return status === 404 ? undefined : 'it is retired, and still there';
  if (status === 404) return 'it is not there';
  const found = answer.safeParse(body).data;
  if (!found) return 'its answer is unreadable';
  const { name, category, amount, currency, version } = product;
  const wanted = { name, category, amount, currency, version };
  const seen = { ...found.price, name: found.name, category: found.category, version: found.version };
  const different = (['name', 'category', 'amount', 'currency', 'version'] as const).find(
    (field) => seen[field] !== wanted[field],
  );
  return different && `${different} is ${shown(seen[different])}, in the catalog ${shown(wanted[different])}`;
}
