import { z } from 'zod';
import type { Cache } from '../_chassis/cache.ts';
import type { Methods } from '../_chassis/call.ts';
import type { Database, Transaction } from '../_chassis/database.ts';
import { once } from '../_chassis/idempotency.ts';
import { decodeCursor, encodeCursor } from '../_chassis/page.ts';
import { refusedWithout } from '../_chassis/permission.ts';
import { uuidv7 } from '../_chassis/uuid.ts';
import { permissions } from '../auth/contract.ts';
import { productsContract, type Product } from './contract.ts';
import { addProduct, changeProduct, listProducts, lockProduct, retireProduct } from './store.ts';

const { ProductPriced, ProductRetired } = productsContract.events;
const position = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);

/** No other text is a product's id; so none can trouble the database or be a key that the state store does not take. */
const isId = (text: string): boolean => /^[\w.-]{1,64}$/.test(text);

/** Everybody may read the catalog; people with the role `staff` change that of their tenant. */
export function methods({
  database,
  cache,
}: {
  database: Database;
  cache: Cache<Product>;
}): Methods<typeof productsContract> {
  return {
    async listProducts({ query = '', category, limit, cursor }, { tenant }) {
      const after = cursor === undefined ? 0 : decodeCursor(position, cursor);
      if (after === undefined) return { kind: 'bad-cursor' };
      if (query.includes('\0')) return { kind: 'page', items: [] }; // no name has one, and PostgreSQL takes none
      const found = await listProducts(database.of(tenant), { tenant, query, category, after, limit: limit + 1 });
      const items = found.slice(0, limit);
      const last = items.at(-1);
      const more = found.length > limit && last;
      return {
        kind: 'page',
        items: items.map((row) => row.product),
        ...(more && { nextCursor: encodeCursor(last.position) }),
      };
    },

    async getProduct({ productId }, { tenant }) {
      if (!isId(productId)) return { kind: 'not-found' };
      const { value: product, cache: from } = await cache.read(tenant, productId);
      return product ? { kind: 'found', product, cache: from } : { kind: 'not-found' };
    },

    async createProduct(request, call) {
      const refused = refusedWithout(permissions['catalog.change'], call);
      if (refused) return refused;
      return once(database, call, 'createProduct', request, async (tx) => {
        const product = { id: uuidv7(), ...request, version: 1 };
        addProduct(tx, call.tenant, product);
        emitPriced(tx, call.tenant, product);
        return { kind: 'created' as const, product };
      });
    },

    async changeProduct(request, call) {
      const refused = refusedWithout(permissions['catalog.change'], call);
      if (refused) return refused;
      const { productId, change, versions } = request;
      if (!isId(productId)) return { kind: 'not-found' };
      const answer = await once(database, call, 'changeProduct', request, async (tx) => {
        const before = await lockProduct(tx, call.tenant, productId);
        if (!before) return { kind: 'not-found' as const };
        if (versions?.includes(before.version) === false) return otherVersion(before);
        const name = change.name ?? before.name;
        const category = change.category ?? before.category;
        const price = change.price ?? before.price;
        const offered = name !== before.name || price.amount !== before.price.amount;
        if (!offered && category === before.category) return { kind: 'changed' as const, product: before };
        const product = { id: productId, name, category, price, version: before.version + 1 };
        changeProduct(tx, call.tenant, product);
        if (offered) emitPriced(tx, call.tenant, product);
        return { kind: 'changed' as const, product };
      });
      if (answer.kind === 'changed') await cache.settle(call.tenant, productId);
      return answer;
    },

    async retireProduct(request, call) {
      const refused = refusedWithout(permissions['catalog.change'], call);
      if (refused) return refused;
      const { productId, versions } = request;
      if (!isId(productId)) return { kind: 'not-found' };
      const answer = await once(database, call, 'retireProduct', request, async (tx) => {
        const before = await lockProduct(tx, call.tenant, productId);
        if (!before) return { kind: 'not-found' as const };
        if (versions?.includes(before.version) === false) return otherVersion(before);
        const version = before.version + 1;
        retireProduct(tx, call.tenant, productId, version);
        tx.emit(ProductRetired, { subject: productId, tenant: call.tenant, data: { productId, version } });
        return { kind: 'retired' as const };
      });
      if (answer.kind === 'retired') await cache.settle(call.tenant, productId);
      return answer;
    },
  };
}

const otherVersion = ({ version }: Product) => ({ kind: 'other-version' as const, version });

function emitPriced(tx: Transaction, tenant: string, { id: productId, name, price, version }: Product): void {
  tx.emit(ProductPriced, { subject: productId, tenant, data: { productId, name, price, version } });
}
