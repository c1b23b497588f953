import { z } from 'zod';
import { orderStatus } from '../../services/orders/order.ts';
import type { Books } from './books.ts';
import type { Dossier } from './dossier.ts';
import type { Findings } from './findings.ts';
import { mergeByKey } from './merge.ts';
import { isState, shown } from './orders.ts';

const integer = z.coerce.number();
const priceRow = z.object({
  key: z.string(),
  name: z.string(),
  amount: integer,
  currency: z.string(),
  version: z.number(),
  retired: z.boolean(),
});
const saidRow = z.object({ key: z.string(), retired: z.boolean(), data: z.unknown() });
const priced = z.object({
  version: z.number(),
  name: z.string().optional(),
  price: z.object({ amount: z.number(), currency: z.string() }).optional(),
});
type Price = z.infer<typeof priceRow>;

/** I15: the price list that orders keeps is the catalog's; and what the catalog said last is what it is (I8). */
export async function checkPrices(findings: Findings, { products, orders }: Books): Promise<Catalog> {
  const retired = new Map<string, boolean>();
  const merged = mergeByKey({
    catalog: products.pages(
      priceRow,
      `select (tenant || '/' || id) collate "C" as key, name, amount, currency, version, retired_at is not null as retired
         from products order by 1`,
    ),
    said: products.pages(
      saidRow,
      `select (tenant || '/' || subject) collate "C" as key, type like '%.product.retired.%' as retired, envelope -> 'data' as data
         from outbox where topic = 'products.events' order by 1, position`,
    ),
    prices: orders.pages(
      priceRow,
      `select (tenant || '/' || product_id) collate "C" as key, name, amount, currency, version, retired from prices order by 1`,
    ),
  });
  for await (const { key, rows } of merged) {
    const [product] = rows.catalog;
    const [price] = rows.prices;
    const subject = `product ${key.replace(/^main\//, '')}`;
    findings.checked('I15', rows.prices.length);
    if (!product) {
      findings.wrong(
        'I15',
        subject,
        price ? 'in the price list, and not in the catalog' : 'said, and not in the catalog',
      );
      continue;
    }
    retired.set(key, product.retired);
    const last = lastSaid(rows.said);
    for (const problem of differences(product, last)) findings.wrong('I8', subject, `its last event: ${problem}`);
    if (!price) findings.wrong('I15', subject, 'in the catalog, and not in the price list');
    else
      for (const problem of differences(product, price)) findings.wrong('I15', subject, `the price list: ${problem}`);
    if (price && last && price.version !== last.version)
      findings.wrong('I15', subject, `the price list knows version ${price.version}, ${last.version} was said last`);
  }
  return { retired };
}

/** Of each product, by `tenant/id`, whether it is retired. */
export interface Catalog {
  readonly retired: ReadonlyMap<string, boolean>;
}

/** The newest state that events tell of; a new category raises the version and is not told. */
function lastSaid(said: readonly z.infer<typeof saidRow>[]): Omit<Price, 'key'> | undefined {
  let last: Omit<Price, 'key'> | undefined;
  for (const { retired, data } of said) {
    const { version, name, price } = priced.safeParse(data).data ?? { version: 0 };
    if (last && version <= last.version) continue;
    last = { version, retired, name: name ?? '', amount: price?.amount ?? 0, currency: price?.currency ?? '' };
  }
  return last;
}

function* differences(product: Price, copy: Omit<Price, 'key'> | undefined): Generator<string> {
  if (!copy) {
    yield 'there is none';
    return;
  }
  if (copy.retired !== product.retired) yield `retired is ${copy.retired}, in the catalog ${product.retired}`;
  if (copy.version > product.version) yield `version ${copy.version}, in the catalog only ${product.version}`;
  if (product.retired) return;
  for (const field of ['name', 'amount', 'currency'] as const) {
    if (copy[field] !== product[field])
      yield `${field} is ${shown(copy[field])}, in the catalog ${shown(product[field])}`;
  }
}

const factData = z.object({ version: z.number(), status: z.string() });

/** I15 of one order: the status told last, and the allocation copied from inventory, are what their sources say. */
export function checkOrderCopies(findings: Findings, { id, orders: [order], saidByOrders, lines }: Dossier): void {
  if (!order) return;
  findings.checked('I15');
  let last: z.infer<typeof factData> | undefined;
  for (const { topic, data } of saidByOrders) {
    const fact = factData.safeParse(data).data;
    if (topic === 'orders.events' && fact && fact.version > (last?.version ?? 0)) last = fact;
  }
  const status = isState(order.state) ? orderStatus(order.state) : order.state;
  if (last?.version !== order.version || last.status !== status)
    findings.wrong('I15', id, `is ${status} at version ${order.version}, and its last event says ${shown(last)}`);
  const copied = allocation.safeParse(order.allocation ?? []).data;
  if (order.allocation !== null && sorted(copied) !== sorted(lines))
    findings.wrong('I15', id, `allocation ${sorted(copied)}, at inventory ${sorted(lines)}`);
}

const allocation = z.array(z.object({ productId: z.string(), warehouse: z.string(), quantity: z.number() }));

/** Lines as one text, in an order of their own. */
export const sorted = (lines: readonly z.infer<typeof allocation>[number][] | undefined): string =>
  lines
    ?.map((line) => `${line.quantity} of ${line.productId} ${line.warehouse}`)
    .sort()
    .join(', ') ?? 'unreadable';
