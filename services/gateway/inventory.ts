import type { Connect } from '../_chassis/client.ts';
import { inventoryContract } from '../inventory/contract.ts';
import { productsContract } from '../products/contract.ts';
import type { Handlers } from './contract.ts';
import type { SeenStock } from './expectations.ts';
import { problems, refused } from './problems.ts';

/** The stock's routes. */
export function inventoryHandlers({
  connect,
}: {
  connect: Connect;
}): Pick<Handlers, 'getStock' | 'receiveStock' | 'adjustStock'> {
  const inventory = connect(inventoryContract);
  const products = connect(productsContract);

  // Inventory keeps stock for any id it is told of; whether there is such a product is the catalog's to say.
  async function checkProduct(productId: string): Promise<void> {
    const answer = await products.getProduct({ productId });
    if (answer.kind === 'found') return;
    throw answer.kind === 'not-found' ? problems.notFound('product') : refused(answer);
  }

  return {
    async getStock({ id }) {
      const answer = await inventory.getStock({ productId: id });
      if (answer.kind === 'stock') return { status: 200, body: renderStock(answer.stock) };
      throw answer.kind === 'not-found' ? problems.notFound('product') : refused(answer);
    },
    async receiveStock({ id, body, key }) {
      await checkProduct(id);
      const answer = await inventory.receiveStock({ ...body, productId: id }, { idempotencyKey: key });
      if (answer.kind !== 'received') throw refused(answer);
      return { status: 200, body: renderStock(answer.stock) };
    },
    async adjustStock({ id, body, key }) {
      await checkProduct(id);
      const answer = await inventory.adjustStock({ ...body, productId: id }, { idempotencyKey: key });
      if (answer.kind === 'adjusted') return { status: 200, body: renderStock(answer.stock) };
      throw answer.kind === 'not-enough' ? problems.notEnoughStock(answer.available) : refused(answer);
    },
  };
}

/** Stock as the public sees it. */
export const renderStock = ({ productId, available, reserved, warehouses }: SeenStock) => ({
  productId,
  available,
  reserved,
  warehouses: warehouses.map((held) => ({
    warehouse: held.warehouse,
    available: held.available,
    reserved: held.reserved,
  })),
});
