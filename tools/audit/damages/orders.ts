import type { Damage } from './damage.ts';

/** The order that was played as the n-th. */
const played = (n: number) => `(select id from orders where length(id) = 36 order by created_at offset ${n} limit 1)`;

/** Damage to orders, their histories and their keys. */
export const orderDamages: readonly Damage[] = [
  {
    what: 'an order in no terminal state',
    names: '1',
    breaks: ['I2'],
    sql: {
      orders: `delete from order_events where order_id = '1' and type = 'shipped';
               update orders set state = 'paid', version = 3, history = history - 3 where id = '1'`,
    },
  },
  {
    what: 'an order in a state that there is not',
    names: '5',
    breaks: ['I2', 'I9'],
    sql: { orders: `update orders set state = 'lost' where id = '5'` },
  },
  {
    what: 'an impossible transition',
    names: '5',
    breaks: ['I9'],
    sql: { orders: `update order_events set type = 'rejected', data = '{}' where order_id = '5' and version = 3` },
  },
  {
    what: 'a gap in a history',
    names: '5',
    breaks: ['I9'],
    sql: { orders: `delete from order_events where order_id = '5' and version = 2` },
  },
  {
    what: 'a read model that differs from its replay',
    names: '5',
    breaks: ['I9'],
    sql: {
      orders: `update orders set history = jsonb_set(history, '{1,at}', '"2026-01-01T00:00:00.000Z"') where id = '5'`,
    },
  },
  {
    what: 'an order without a row in the read model',
    names: '2',
    breaks: ['I9'],
    sql: { orders: `delete from orders where id = '2'` },
  },
  {
    what: 'a key whose answer points to another order',
    breaks: ['I7'],
    sql: {
      orders: `update idempotency_keys set answer =
                 (select answer from idempotency_keys where answer::jsonb #>> '{order,id}' = ${played(0)} and answer like '%"placed"%' limit 1)
                where answer::jsonb #>> '{order,id}' = ${played(1)}`,
    },
  },
  {
    what: 'a key that was forgotten',
    breaks: ['I7'],
    sql: { orders: `delete from idempotency_keys where key = 'key-1'` },
  },
  {
    what: 'an acknowledged order that orders lost',
    breaks: ['I1'],
    sql: {
      orders: `delete from order_events where order_id = ${played(0)}; delete from orders where id = ${played(0)}`,
    },
  },
];
