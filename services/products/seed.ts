import type { ClientBase } from 'pg';
import { seedOutbox } from '../_chassis/seeding.ts';
import { catalog } from './catalog.ts';
import { productsContract } from './contract.ts';

const tenant = 'main';
const currency = 'EUR';
const version = 1;
const at = new Date('2026-01-01T00:00:00Z');
const { type, topic } = productsContract.events.ProductPriced;

/** Puts the catalog in, and the events that told its prices; safe to run again, and changes nothing that is there. */
export async function seed(client: ClientBase): Promise<void> {
  await client.query(
    `insert into products (tenant, id, name, category, amount, currency, version)
     select $1, p ->> 'id', p ->> 'name', p ->> 'category', (p ->> 'amount')::bigint, $3, $4
       from json_array_elements($2::json) with ordinality as list (p, n) order by n
     on conflict do nothing`,
    [tenant, JSON.stringify(catalog), currency, version],
  );
  await seedOutbox(
    client,
    catalog.map(({ id: productId, name, amount }) => ({
      id: `seed-product-${productId}-priced`,
      service: 'products',
      topic,
      type,
      subject: productId,
      tenant,
      at,
      data: { productId, name, price: { amount, currency }, version },
    })),
  );
}
