import type { Damage } from './damage.ts';

const uncheckedStock = `
  alter table stock drop constraint stock_adds_up;
  alter table stock drop constraint stock_available_check;
  alter table stock drop constraint stock_reserved_check;
  alter table stock drop constraint stock_shipped_check;`;

/** Damage to stock, reservations and shipments. */
export const stockDamages: readonly Damage[] = [
  {
    what: 'a lost reservation',
    names: '1',
    breaks: ['I4', 'I10'],
    sql: {
      inventory: `delete from reservation_lines where order_id = '1'; delete from reservations where order_id = '1'`,
    },
  },
  {
    what: 'a reservation that outlives its order',
    names: '4',
    breaks: ['I10'],
    sql: { inventory: `update reservations set state = 'reserved' where order_id = '4'` },
  },
  {
    what: 'a reservation for an order that does not exist',
    names: 'stray',
    breaks: ['I10'],
    sql: { inventory: `insert into reservations (tenant, order_id, state) values ('main', 'stray', 'refused')` },
  },
  {
    what: 'a reservation of part of a line',
    names: '1',
    breaks: ['I4'],
    sql: { inventory: `update reservation_lines set quantity = 1 where order_id = '1' and product_id = '1'` },
  },
  {
    what: 'a shelf off by one',
    names: 'product 1 north',
    breaks: ['I4'],
    sql: {
      inventory: `${uncheckedStock} update stock set available = available + 1 where product_id = '1' and warehouse = 'north'`,
    },
  },
  {
    what: 'a shelf that adds up, and is not what was moved',
    names: 'product 7 south',
    breaks: ['I4'],
    sql: {
      inventory: `update stock set available = available - 1, reserved = reserved + 1 where product_id = '7' and warehouse = 'south'`,
    },
  },
  {
    what: 'negative stock',
    names: 'product 8 north',
    breaks: ['I4'],
    sql: {
      inventory: `${uncheckedStock}
        update stock set reserved = reserved + available + 1, available = -1 where product_id = '8' and warehouse = 'north'`,
    },
  },
  {
    what: 'a dispatch booked twice',
    names: '5',
    breaks: ['I4'],
    sql: {
      inventory: `insert into movements (tenant, product_id, warehouse, kind, quantity, order_id)
                  select tenant, product_id, warehouse, kind, quantity, order_id from movements where order_id = '5' and kind = 'ship'`,
    },
  },
  {
    what: 'stock given back twice',
    names: '4',
    breaks: ['I6'],
    sql: {
      inventory: `insert into movements (tenant, product_id, warehouse, kind, quantity, order_id)
                  select tenant, product_id, warehouse, kind, quantity, order_id from movements where order_id = '4' and kind = 'release'`,
    },
  },
  {
    what: 'two shipments of an order',
    names: '1',
    breaks: ['I5'],
    sql: {
      fulfillment: `alter table shipments drop constraint shipments_order_id_key;
                    insert into shipments (id, tenant, order_id, carrier, tracking_code) values ('again', 'main', '1', 'Blue Van', 'BV1')`,
    },
  },
  {
    what: 'a shipment of a cancelled order',
    names: '4',
    breaks: ['I5'],
    sql: {
      fulfillment: `insert into shipments (id, tenant, order_id, carrier, tracking_code) values ('wrong', 'main', '4', 'Blue Van', 'BV1')`,
    },
  },
  {
    what: 'a shipped order that never left',
    names: '5',
    breaks: ['I5'],
    sql: { fulfillment: `delete from shipments where order_id = '5'` },
  },
  {
    what: 'a dispatch after the withdrawal',
    names: '1',
    breaks: ['I13'],
    sql: {
      orders: `insert into outbox (id, tenant, topic, type, subject, envelope)
               select 'late', tenant, topic, type, '1', jsonb_build_object('id', 'late', 'tenant', tenant, 'topic', topic, 'type', type,
                      'subject', '1', 'source', 'urn:sidecart:orders', 'data', '{"orderId":"1","reason":"customer"}'::jsonb)::json
                 from outbox where id = 'seed-4-orders.shipment.withdrawn'`,
      fulfillment: `insert into inbox (source, id, tenant, topic, type, subject, status, received_at)
                    select source, 'late', tenant, topic, type, '1', status, '2026-01-01T01:00:07.5Z'
                      from inbox where id = 'seed-4-orders.shipment.withdrawn'`,
    },
  },
];
