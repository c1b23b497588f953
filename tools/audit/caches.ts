import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import type { Book, Books } from './books.ts';
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
const personRow = z.object({ id: z.string(), name: z.string().nullable() });
type Person = z.infer<typeof personRow>;
const answer = z.object({
  name: z.string(),
  category: z.string(),
  price: z.object({ amount: z.number(), currency: z.string() }),
  version: z.number(),
});

const most = 1_000;
const atOnce = 8;

/** Reads as a good client does: within the gateway's limit. */
async function readPatiently(url: URL): Promise<Response | undefined> {
  for (let tries = 5; ; tries -= 1) {
    const response = await fetch(url, { signal: AbortSignal.timeout(5_000) }).catch(() => undefined);
    if (response?.status !== 429 || tries === 1) return response;
    await delay(Number(response.headers.get('retry-after')) * 1_000);
  }
}

/**
 * I15 of the caches of products and of people's public part, seen as everybody sees them: each read through the gateway,
 * twice because the first read may fill the cache, is what its row says. Gives how many could not be read; those prove nothing.
 */
export async function checkCaches(
  findings: Findings,
  { products, users }: Pick<Books, 'products'> & { readonly users: Book | undefined },
  gateway: string,
): Promise<number> {
  const inCatalog = await products.rows(
    productRow,
    `select id, name, category, amount, currency, version, retired_at is not null as retired
       from products where tenant = 'main' order by position limit ${most}`,
  );
  const people = await users?.rows(
    personRow,
    `select id, name from profiles where tenant = 'main' order by position limit ${most}`,
  );
  const read = { findings, gateway };
  return (
    (await checkCached({ ...read, what: 'product', path: '/api/products/', rows: inCatalog, problemOf })) +
    (await checkCached({
      ...read,
      what: 'person',
      path: '/api/users/',
      rows: people ?? [],
      problemOf: problemOfPerson,
    }))
  );
}

async function checkCached<Row extends { readonly id: string }>(options: {
  findings: Findings;
  gateway: string;
  what: string;
  path: string;
  rows: readonly Row[];
  problemOf: (row: Row, status: number, body: unknown) => string | undefined;
}): Promise<number> {
  const { findings, gateway, what, path, rows } = options;
  let unread = 0;
  const queue = rows.values();
  const read = async () => {
    for (const row of queue) {
      for (let time = 0; time < 2; time++) {
        const response = await readPatiently(new URL(`${path}${encodeURIComponent(row.id)}`, gateway));
        const body: unknown = await response?.json().catch(() => undefined);
        if (response?.status !== 200 && response?.status !== 404) {
          unread += 1;
          continue;
        }
        findings.checked('I15');
        const cache = response.headers.get('x-cache') ?? 'no cache';
        const problem = options.problemOf(row, response.status, body);
        if (problem) findings.wrong('I15', `${what} ${row.id}`, `through the gateway (${cache}): ${problem}`);
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, read));
  return unread;
}

function problemOfPerson({ id, name }: Person, status: number, body: unknown): string | undefined {
  if (name === null) return status === 404 ? undefined : 'nothing may be known of him, and something is';
  if (status === 404) return 'he is not there';
  const found = personRow.strict().safeParse(body).data;
  if (!found) return 'more is told than id and name, or less';
  return found.id === id && found.name === name ? undefined : `name is ${shown(found.name)}, in users ${shown(name)}`;
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
