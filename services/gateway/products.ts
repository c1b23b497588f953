import { productsContract, newProduct, product, productChange } from '../products/contract.ts';
import type { SeenProduct } from './expectations.ts';
import { limit, open, page, renderPage, write } from './parts.ts';
import { problems } from './problems.ts';
import { route, type Route } from './route.ts';

const noProduct = () => problems.notFound('product');
const change = { permission: 'catalog.change', condition: 'version', ...write } as const;

/** The catalog's routes. */
export const productRoutes = {
  listProducts: route(productsContract, 'listProducts', {
    method: 'GET',
    path: '/api/products',
    does: 'lists products by query and category, page by page',
    query: productsContract.methods.listProducts.request.extend({ limit }).strict(),
    answers: page(product),
    cache: 'revalidate',
    ...open,
    request: ({ query }) => query,
    replies: {
      page: ({ items, nextCursor }) => ({ status: 200, body: renderPage(items.map(renderProduct), nextCursor) }),
      'bad-cursor': () => problems.badCursor(),
    },
  }),
  createProduct: route(productsContract, 'createProduct', {
    method: 'POST',
    path: '/api/products',
    does: 'adds a product (staff)',
    body: newProduct,
    answers: { 201: { body: product, headers: ['location', 'etag'] } },
    permission: 'catalog.change',
    ...write,
    request: ({ body }) => body,
    replies: {
      created: ({ product: made }) => ({
        ...shown(made),
        status: 201,
        headers: { location: `/api/products/${encodeURIComponent(made.id)}` },
      }),
    },
  }),
  getProduct: route(productsContract, 'getProduct', {
    method: 'GET',
    path: '/api/products/{productId}',
    does: 'shows a product',
    answers: { 200: { body: product, headers: ['x-cache'] } },
    cache: 'revalidate',
    ...open,
    request: ({ id }) => ({ productId: id }),
    replies: {
      found: ({ product: found, cache }) => ({ ...shown(found), headers: { 'x-cache': cache } }),
      'not-found': noProduct,
    },
  }),
  changeProduct: route(productsContract, 'changeProduct', {
    method: 'PATCH',
    path: '/api/products/{productId}',
    does: 'changes name, category or price of a product (staff)',
    body: productChange,
    answers: { 200: { body: product, headers: ['etag'] } },
    ...change,
    request: ({ id, body, versions }) => ({ productId: id, change: body, versions }),
    replies: {
      changed: ({ product: changed }) => shown(changed),
      'not-found': noProduct,
      'other-version': ({ version }) => problems.otherVersion(version),
    },
  }),
  retireProduct: route(productsContract, 'retireProduct', {
    method: 'DELETE',
    path: '/api/products/{productId}',
    does: 'takes a product out of the catalog (staff)',
    answers: { 204: {} },
    ...change,
    request: ({ id, versions }) => ({ productId: id, versions }),
    replies: {
      retired: () => ({ status: 204 }),
      'not-found': noProduct,
      'other-version': ({ version }) => problems.otherVersion(version),
    },
  }),
} satisfies Record<string, Route>;

const shown = (product: SeenProduct) => ({
  status: 200,
  body: renderProduct(product),
  version: product.version,
});

/** A product as the public sees it. */
const renderProduct = ({ id, name, category, price, version }: SeenProduct) => ({
  id,
  name,
  category,
  price: { amount: price.amount, currency: price.currency },
  version,
});
