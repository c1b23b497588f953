import type { Damage } from './damage.ts';

/** Damage to outboxes and inboxes, to tenants and to copies. */
export const eventDamages: readonly Damage[] = [
  {
    what: 'a state change whose event is in no outbox',
    names: '1',
    breaks: ['I8'],
    sql: { orders: `delete from outbox where id = 'seed-1-orders.order.paid'` },
  },
  {
    what: 'an answer that is in an inbox and in no outbox',
    names: 'seed-1-payments.payment.captured',
    breaks: ['I8'],
    sql: { payments: `delete from outbox where id = 'seed-1-payments.payment.captured'` },
  },
  {
    what: 'a message sent twice',
    names: '1',
    breaks: ['I8'],
    sql: {
      orders: `insert into outbox (id, tenant, topic, type, subject, envelope)
               select 'again', tenant, topic, type, subject, envelope from outbox where id = 'seed-1-orders.payment.requested'`,
    },
  },
  {
    what: 'an outbox row that nobody handled',
    names: 'seed-1-fulfillment.shipment.dispatched',
    breaks: ['I8'],
    sql: { inventory: `delete from inbox where id = 'seed-1-fulfillment.shipment.dispatched'` },
  },
  {
    what: 'an inbox row that was never finished',
    names: 'seed-3-orders.payment.requested',
    breaks: ['I8'],
    sql: {
      payments: `update inbox set status = 'pending', attempts = 2, cause = 'x' where id = 'seed-3-orders.payment.requested'`,
    },
  },
  {
    what: 'a failed inbox row without a cause',
    names: 'seed-3-orders.payment.requested',
    breaks: ['I8'],
    sql: { payments: `update inbox set status = 'failed', attempts = 10 where id = 'seed-3-orders.payment.requested'` },
  },
  {
    what: 'an envelope that says otherwise than its row',
    names: 'seed-5-inventory.reservation.confirmed',
    breaks: ['I8'],
    sql: {
      inventory: `update outbox set envelope = jsonb_set(envelope::jsonb, '{subject}', '"2"')::json where subject = '5'`,
    },
  },
  {
    what: "another tenant's payment",
    names: '5',
    breaks: ['I12'],
    sql: { payments: `update payments set tenant = 'other' where order_id = '5'` },
  },
  {
    what: "an event kept as another tenant's",
    names: 'seed-1-orders.reservation.requested',
    breaks: ['I12'],
    sql: { inventory: `update inbox set tenant = 'other' where id = 'seed-1-orders.reservation.requested'` },
  },
  {
    what: 'a stale price',
    names: 'product 11',
    breaks: ['I15'],
    sql: { orders: `update prices set amount = 1200, version = 1 where product_id = '11'` },
  },
  {
    what: 'a retired product that is for sale again',
    names: 'product 15',
    breaks: ['I15'],
    sql: { orders: `update prices set retired = false where product_id = '15'` },
  },
  {
    what: 'a status told that is not the one the order has',
    names: '1',
    breaks: ['I15'],
    sql: {
      orders: `update outbox set envelope = jsonb_set(envelope::jsonb, '{data,status}', '"rejected"')::json
                where id = 'seed-1-orders.order.shipped'`,
    },
  },
];
