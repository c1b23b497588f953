import type { Connect } from '../_chassis/client.ts';
import { productsContract } from '../products/contract.ts';
import type { Handlers } from './contract.ts';
import type { SeenProduct } from './expectations.ts';
import { problems, refused } from './problems.ts';

type ProductRoutes = 'listProducts' | 'createProduct' | 'getProduct' | 'changeProduct' | 'retireProduct';

/** The catalog's routes. */
export function productHandlers({ connect }: { connect: Connect }): Pick<Handlers, ProductRoutes> {
  const products = connect(productsContract);
  return {
    async listProducts({ query }) {
      const answer = await products.listProducts(query);
      if (answer.kind === 'page') {
        return { status: 200, body: renderPage(answer.items.map(renderProduct), answer.nextCursor) };
      }
      throw answer.kind === 'bad-cursor' ? problems.badCursor() : refused(answer);
    },
    async getProduct({ id }) {
      const answer = await products.getProduct({ productId: id });
      if (answer.kind === 'found') {
        return { status: 200, body: renderProduct(answer.product), headers: { 'x-cache': answer.cache } };
      }
      throw answer.kind === 'not-found' ? problems.notFound('product') : refused(answer);
    },
    async createProduct({ body, key }) {
      const answer = await products.createProduct(body, { idempotencyKey: key });
      if (answer.kind !== 'created') throw refused(answer);
      const location = `/api/products/${encodeURIComponent(answer.product.id)}`;
      return { status: 201, body: renderProduct(answer.product), headers: { location } };
    },
    async changeProduct({ id, body, key }) {
      const answer = await products.changeProduct({ productId: id, change: body }, { idempotencyKey: key });
      if (answer.kind === 'changed') return { status: 200, body: renderProduct(answer.product) };
      throw answer.kind === 'not-found' ? problems.notFound('product') : refused(answer);
    },
    async retireProduct({ id, key }) {
      const answer = await products.retireProduct({ productId: id }, { idempotencyKey: key });
      if (answer.kind === 'retired') return { status: 204 };
      throw answer.kind === 'not-found' ? problems.notFound('product') : refused(answer);
    },
  };
}

/** A product as the public sees it. */
export const renderProduct = ({ id, name, category, price, version }: SeenProduct) => ({
  id,
  name,
  category,
  price: { amount: price.amount, currency: price.currency },
  version,
});

/** One page of a list; `nextCursor` is null on the last. */
export const renderPage = <Item>(items: readonly Item[], nextCursor: string | undefined) => ({
  items,
  nextCursor: nextCursor ?? null,
});
