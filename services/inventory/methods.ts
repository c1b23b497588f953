import type { Methods } from '../_chassis/call.ts';
import type { Database, Queryable } from '../_chassis/database.ts';
import { once } from '../_chassis/idempotency.ts';
import { refusedWithout } from '../_chassis/permission.ts';
import { permissions } from '../auth/contract.ts';
import type { inventoryContract } from './contract.ts';
import { addShelves, bookUnits, findStock, lockAvailable } from './store.ts';

/** Everybody may see what there is; people with the role `warehouse` say what came in and what was found missing. */
export function methods(database: Database): Methods<typeof inventoryContract> {
  return {
    async getStock({ productId }, { tenant }) {
      const stock = await stockOf(database.of(tenant), tenant, productId);
      return stock.warehouses.length > 0 ? { kind: 'stock', stock } : { kind: 'not-found' };
    },

    async receiveStock(request, call) {
      const refused = refusedWithout(permissions['stock.change'], call);
      if (refused) return refused;
      const { tenant } = call;
      const { productId, warehouse, quantity } = request;
      return once(database, call, 'receiveStock', request, async (tx) => {
        await addShelves(tx, tenant, productId);
        await bookUnits(tx, { tenant, productId, warehouse }, { kind: 'receipt', quantity });
        return { kind: 'received' as const, stock: await stockOf(tx, tenant, productId) };
      });
    },

    async adjustStock(request, call) {
      const refused = refusedWithout(permissions['stock.change'], call);
      if (refused) return refused;
      const { tenant } = call;
      const { productId, warehouse, quantity, reason } = request;
      return once(database, call, 'adjustStock', request, async (tx) => {
        const shelf = { tenant, productId, warehouse };
        if (quantity > 0) await addShelves(tx, tenant, productId);
        const available = await lockAvailable(tx, shelf);
        if (available + quantity < 0) return { kind: 'not-enough' as const, available };
        await bookUnits(tx, shelf, { kind: 'adjustment', quantity, reason });
        return { kind: 'adjusted' as const, stock: await stockOf(tx, tenant, productId) };
      });
    },
  };
}

async function stockOf(db: Queryable, tenant: string, productId: string) {
  // PostgreSQL has no NUL in its texts and takes a question with one for a failure.
  const rows = productId.includes('\0') ? [] : await findStock(db, tenant, productId);
  const sum = (column: 'available' | 'reserved') => rows.reduce((total, row) => total + row[column], 0);
  const warehouses = rows.map(({ warehouse, available, reserved }) => ({ warehouse, available, reserved }));
  return { productId, available: sum('available'), reserved: sum('reserved'), warehouses };
}
