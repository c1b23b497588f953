import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { envelope } from '../_chassis/envelope.ts';
import { createTestDatabase } from '../_chassis/test-support/database.ts';
import { startTestService, type TestService } from '../_chassis/test-support/service.ts';
import { disappointedBy } from '../_e2e/expectations.ts';
import { buildApp } from './app.ts';
import { catalog } from './catalog.ts';
import { productsContract } from './contract.ts';
import { seed } from './seed.ts';

const settings = { ttlMs: 300_000, pauseMs: 50, trustMs: 100, refreshIntervalMs: 50 };
let service: TestService<typeof productsContract>;
beforeAll(async () => {
  const database = await createTestDatabase('products', new URL('./migrations', import.meta.url));
  service = await startTestService({
    contract: productsContract,
    database,
    buildApp: (deps) => buildApp(deps, settings),
  });
});
afterAll(() => service.close());

const asStaff = (tenant = 'main') => service.as({ sub: '3', roles: ['staff'], tenant });
const lamp = { name: 'Lamp', category: 'lighting', price: { amount: 4_900, currency: 'EUR' } } as const;

async function create(change: Partial<typeof lamp | { name: string; category: string }> = {}, tenant = 'main') {
  const answer = await (await asStaff(tenant)).createProduct({ ...lamp, ...change });
  if (answer.kind !== 'created') throw new Error(answer.kind);
  return answer.product;
}
const get = async (productId: string) => (await service.as()).getProduct({ productId });
const emittedFor = async (productId: string) =>
  (await service.emitted()).filter((event) => event.subject === productId).map(({ type, data }) => ({ type, data }));

async function list(filter: { query?: string; category?: string; limit?: number }, tenant = 'main') {
  const staff = await asStaff(tenant);
  const names: string[] = [];
  for (let cursor: string | undefined; ;) {
    const page = await staff.listProducts({ limit: 100, ...filter, ...(cursor !== undefined && { cursor }) });
    if (page.kind !== 'page') throw new Error(page.kind);
    names.push(...page.items.map((item) => item.name));
    if (page.nextCursor === undefined) return names;
    cursor = page.nextCursor;
  }
}

describe('listProducts', () => {
  it('when a text is looked for, it is found in any case and place, and taken literally', async () => {
    for (const name of ['50% Wool_Rug', '50 Wool Rugs', 'Back\\slash']) await create({ name, category: 'rugs' });

    expect(await list({ query: 'wool' })).toEqual(['50% Wool_Rug', '50 Wool Rugs']);
    expect(await list({ query: '0% W' })).toEqual(['50% Wool_Rug']);
    expect(await list({ query: 'l_r' })).toEqual(['50% Wool_Rug']);
    expect(await list({ query: '\\' })).toEqual(['Back\\slash']);
    expect(await list({ query: '%' })).toEqual(['50% Wool_Rug']);
    expect(await list({ query: '\0' })).toEqual([]);
    expect(await list({ query: 'rug', category: 'lighting' })).toEqual([]);
    expect(await list({ category: 'rugs' })).toHaveLength(3);
  });

  it('when products come, change and go between two pages, none of the others is skipped or shown twice', async () => {
    const made = [];
    for (let n = 0; n < 6; n++) made.push(await create({ name: `paged ${n}`, category: 'paged' }));
    const staff = await asStaff();
    const first = await staff.listProducts({ category: 'paged', limit: 3 });
    if (first.kind !== 'page' || first.nextCursor === undefined) throw new Error(first.kind);
    await staff.retireProduct({ productId: made[1]?.id ?? '' });
    await staff.retireProduct({ productId: made[4]?.id ?? '' });
    await staff.changeProduct({ productId: made[2]?.id ?? '', change: { name: 'renamed' } });
    await create({ name: 'paged 6', category: 'paged' });
    const second = await staff.listProducts({ category: 'paged', limit: 3, cursor: first.nextCursor });

    expect(first.items.map((item) => item.name)).toEqual(['paged 0', 'paged 1', 'paged 2']);
    expect(second).toMatchObject({ items: [{ name: 'paged 3' }, { name: 'paged 5' }, { name: 'paged 6' }] });
    expect(second).not.toHaveProperty('nextCursor');
  });

  it('when a cursor was not made here, it is refused', async () => {
    for (const cursor of ['x', 'bnVsbA', 'LTE', 'MS41', 'MWUzMDA', 'eyJhIjoxfQ'])
      expect(await (await service.as()).listProducts({ limit: 1, cursor })).toEqual({ kind: 'bad-cursor' });
  });

  it('when products belong to another tenant, they are not shown', async () => {
    const theirs = await create({ name: 'Theirs', category: 'theirs' }, 'other');

    expect(await list({ category: 'theirs' }, 'other')).toEqual(['Theirs']);
    expect(await list({ category: 'theirs' })).toEqual([]);
    expect(await get(theirs.id)).toEqual({ kind: 'not-found' });
    expect(await (await asStaff()).retireProduct({ productId: theirs.id })).toEqual({ kind: 'not-found' });
  });
});

describe('getProduct', () => {
  it('when it is read twice, the second comes from the cache', async () => {
    const product = await create();

    expect(await get(product.id)).toEqual({ kind: 'found', product, cache: 'miss' });
    expect(await get(product.id)).toEqual({ kind: 'found', product, cache: 'hit' });
  });

  it('when no product can have that id, it is not found', async () => {
    for (const id of ['nothing', '\0', '\ud800', 'a||b', '../1', '1/2', "' or 1=1 --"])
      expect(await get(id)).toEqual({ kind: 'not-found' });
  });
});

describe('createProduct', () => {
  it('when the caller is not of the staff, it is refused', async () => {
    expect(await (await service.as()).createProduct(lamp)).toEqual({ kind: 'unauthenticated' });
    const customer = await service.as({ sub: '1', roles: ['customer'] });
    expect(await customer.createProduct(lamp)).toEqual({ kind: 'forbidden' });
    expect(await customer.changeProduct({ productId: '1', change: { name: 'x' } })).toEqual({ kind: 'forbidden' });
    expect(await customer.retireProduct({ productId: '1' })).toEqual({ kind: 'forbidden' });
  });

  it('when a key comes again, the same product is answered; with another request it is refused', async () => {
    const staff = await asStaff();
    const key = { idempotencyKey: 'a-lamp' };
    const first = await staff.createProduct(lamp, key);

    expect(first).toMatchObject({ kind: 'created', product: { ...lamp, version: 1 } });
    expect(await staff.createProduct(lamp, key)).toEqual(first);
    expect(await staff.createProduct({ ...lamp, name: 'Other' }, key)).toEqual({ kind: 'key-reused' });
  });
});

describe('changeProduct', () => {
  it('when name or price change, the version grows and the price is told; for a category only the version', async () => {
    const { id: productId } = await create();
    const staff = await asStaff();
    const price = { amount: 5_500, currency: 'EUR' } as const;
    for (const change of [{ price }, { name: 'Bright Lamp' }, { category: 'office' }, { name: 'Bright Lamp', price }])
      await staff.changeProduct({ productId, change });

    expect(await get(productId)).toMatchObject({
      product: { name: 'Bright Lamp', category: 'office', price, version: 4 },
    });
    const type = 'com.sidecart.products.product.priced.v1';
    expect(await emittedFor(productId)).toEqual([
      { type, data: { productId, name: 'Lamp', price: lamp.price, version: 1 } },
      { type, data: { productId, name: 'Lamp', price, version: 2 } },
      { type, data: { productId, name: 'Bright Lamp', price, version: 3 } },
    ]);
  });

  it('when a key comes again, nothing changes twice', async () => {
    const { id: productId } = await create();
    const staff = await asStaff();
    const key = { idempotencyKey: 'a-change' };
    const first = await staff.changeProduct({ productId, change: { name: 'One' } }, key);
    await staff.changeProduct({ productId, change: { name: 'Two' } });

    expect(await staff.changeProduct({ productId, change: { name: 'One' } }, key)).toEqual(first);
    expect(await staff.changeProduct({ productId, change: { name: 'Three' } }, key)).toEqual({ kind: 'key-reused' });
    expect(await get(productId)).toMatchObject({ product: { name: 'Two', version: 3 } });
  });
});

describe('versions', () => {
  it('when the one that was read is not the newest, nothing is changed or retired, and the answer says which is', async () => {
    const { id: productId } = await create();
    const staff = await asStaff();
    const change = { name: 'Lamp 2' };
    expect(await staff.changeProduct({ productId, change, versions: [1, 7] })).toMatchObject({ kind: 'changed' });
    const late = { kind: 'other-version', version: 2 };
    for (const versions of [[], [1], [3]]) {
      expect(await staff.changeProduct({ productId, change: { name: 'Lamp 3' }, versions })).toEqual(late);
      expect(await staff.retireProduct({ productId, versions })).toEqual(late);
    }
    expect(await get(productId)).toMatchObject({ product: { ...change, version: 2 } });
    expect(await staff.changeProduct({ productId: 'none', change, versions: [1] })).toEqual({ kind: 'not-found' });
    expect(await staff.retireProduct({ productId, versions: [2] })).toEqual({ kind: 'retired' });
  });

  it('when two change the same version at once, one of them is told', async () => {
    const { id: productId } = await create();
    const staff = await asStaff();
    const both = await Promise.all(
      ['a', 'b'].map((name) => staff.changeProduct({ productId, change: { name }, versions: [1] })),
    );
    expect(both.map(({ kind }) => kind).sort()).toEqual(['changed', 'other-version']);
  });
});

describe('retireProduct', () => {
  it('when it is retired, it is gone for everybody, and its row and version stay', async () => {
    const { id: productId } = await create({ category: 'retired' });
    await get(productId);
    const staff = await asStaff();
    const key = { idempotencyKey: 'a-farewell' };

    expect(await staff.retireProduct({ productId }, key)).toEqual({ kind: 'retired' });
    expect(await staff.retireProduct({ productId }, key)).toEqual({ kind: 'retired' });
    expect(await staff.retireProduct({ productId })).toEqual({ kind: 'not-found' });
    expect(await staff.changeProduct({ productId, change: { name: 'Back' } })).toEqual({ kind: 'not-found' });
    expect([await get(productId), await list({ category: 'retired' })]).toEqual([{ kind: 'not-found' }, []]);
    expect(await service.database.query('select version from products where id = $1', [productId])).toEqual([
      { version: 2 },
    ]);
    expect((await emittedFor(productId)).at(-1)).toEqual({
      type: 'com.sidecart.products.product.retired.v1',
      data: { productId, version: 2 },
    });
  });
});

describe('seed', () => {
  it('when it runs twice, there are 200 products and their prices are told once', async () => {
    const client = new pg.Client({ connectionString: service.database.url });
    await client.connect();
    await seed(client);
    await (await asStaff()).changeProduct({ productId: '7', change: { price: { amount: 2_000, currency: 'EUR' } } });
    await seed(client);
    await client.end();

    const names = catalog.map((item) => item.name);
    expect((await list({ limit: 7 })).filter((name) => names.includes(name))).toEqual(names);
    expect(new Set(names).size).toBe(200);
    expect(await get('7')).toMatchObject({ product: { price: { amount: 2_000 }, version: 2 } });
    expect(await emittedFor('1')).toMatchObject([
      { data: { name: 'Espresso Machine Lina', price: { amount: 24_900 } } },
    ]);
    const told = (await service.emitted()).filter((event) => event.id.startsWith('seed-'));
    expect(told.map((event) => envelope.parse(event).id)).toEqual(catalog.map(({ id }) => `seed-product-${id}-priced`));
  });
});

describe('consumers', () => {
  it('when they read what was really said and answered, none is disappointed; a renamed field is noticed', async () => {
    const product = await create();
    const events = (await service.emitted()).map(({ type, data }) => ({ name: type, value: data }));
    const staff = await asStaff();
    const answers = [
      { name: 'products.getProduct', value: await get(product.id) },
      { name: 'products.getProduct', value: await get('nothing') },
      { name: 'products.listProducts', value: await staff.listProducts({ limit: 2 }) },
      { name: 'products.createProduct', value: await staff.createProduct(lamp) },
      { name: 'products.changeProduct', value: await staff.changeProduct({ productId: product.id, change: lamp }) },
      { name: 'products.retireProduct', value: await staff.retireProduct({ productId: product.id }) },
    ];
    expect(await disappointedBy([...events, ...answers])).toEqual({ disappointments: [], unread: [] });

    const renamed = [...events, ...answers].map(({ name, value }) => ({
      name,
      value: JSON.parse(JSON.stringify(value).replaceAll('"price":', '"cost":')) as unknown,
    }));
    const consumers = (await disappointedBy(renamed)).disappointments.map((d) => d.consumer);
    expect(new Set(consumers)).toEqual(new Set(['orders', 'gateway']));
  });
});
