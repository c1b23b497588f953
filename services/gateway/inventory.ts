import { adjustment, inventoryContract, receipt, stock } from '../inventory/contract.ts';
import { productsContract } from '../products/contract.ts';
import type { SeenStock } from './expectations.ts';
import { open, write } from './parts.ts';
import { problems } from './problems.ts';
import { question, route, type Route } from './route.ts';

const noProduct = () => problems.notFound('product');

// Inventory keeps stock for any id it is told of; whether there is such a product is the catalog's to say.
const knownProduct = question(productsContract, 'getProduct', {
  request: ({ id }) => ({ productId: id }),
  replies: { found: () => undefined, 'not-found': noProduct },
});

const change = { permission: 'stock.change', first: knownProduct, ...write } as const;
const shown = ({ stock: now }: { stock: SeenStock }) => ({ status: 200, body: renderStock(now) });

/** The stock's routes. */
export const stockRoutes = {
  getStock: route(inventoryContract, 'getStock', {
    method: 'GET',
    path: '/api/inventory/{productId}',
    does: 'shows the stock of a product',
    answers: { 200: { body: stock } },
    cache: 'revalidate',
    ...open,
    request: ({ id }) => ({ productId: id }),
    replies: { stock: shown, 'not-found': noProduct },
  }),
  receiveStock: route(inventoryContract, 'receiveStock', {
    method: 'POST',
    path: '/api/inventory/{productId}/receipts',
    does: 'books goods that came in (warehouse)',
    body: receipt,
    answers: { 200: { body: stock } },
    ...change,
    request: ({ id, body }) => ({ ...body, productId: id }),
    replies: { received: shown },
  }),
  adjustStock: route(inventoryContract, 'adjustStock', {
    method: 'POST',
    path: '/api/inventory/{productId}/adjustments',
    does: 'corrects the stock after counting (warehouse)',
    body: adjustment,
    answers: { 200: { body: stock } },
    problems: ['not-enough-stock'],
    ...change,
    request: ({ id, body }) => ({ ...body, productId: id }),
    replies: { adjusted: shown, 'not-enough': ({ available }) => problems.notEnoughStock(available) },
  }),
} satisfies Record<string, Route>;

/** Stock as the public sees it. */
const renderStock = ({ productId, available, reserved, warehouses }: SeenStock) => ({
  productId,
  available,
  reserved,
  warehouses: warehouses.map((held) => ({
    warehouse: held.warehouse,
    available: held.available,
    reserved: held.reserved,
  })),
});
