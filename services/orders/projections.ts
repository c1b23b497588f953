import { heardProjection, type Projection } from '../_chassis/projection.ts';
import { priceHandlers } from './prices.ts';
import { replayOrders } from './store.ts';

/** What orders keeps that follows from events alone; `make replay` makes it anew while the service runs. */
export const projections: readonly Projection[] = [
  {
    table: 'orders',
    key: ['tenant', 'id'],
    keys: 'select distinct tenant, order_id as id from order_events',
    fill: ({ db }, keys, table) => replayOrders(db, keys, table),
  },
  heardProjection({
    table: 'prices',
    key: ['tenant', 'product_id'],
    source: 'products',
    topic: 'products.events',
    handlers: priceHandlers,
  }),
];
