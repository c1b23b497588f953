import type { Damage } from './damage.ts';

const manyEntries = 'alter table entries drop constraint entries_key_kind_key;';

/** Damage to the books of money. */
export const moneyDamages: readonly Damage[] = [
  {
    what: 'a payment captured twice in the ledger of the bank',
    names: '1',
    breaks: ['I3'],
    sql: {
      bank: `${manyEntries} insert into entries (key, kind, amount, currency) values ('1', 'charge', 58700, 'EUR')`,
    },
  },
  {
    what: 'a captured payment that the bank knows nothing of',
    names: '5',
    breaks: ['I3'],
    sql: { bank: `delete from entries where key = '5'; delete from charges where key = '5'` },
  },
  {
    what: 'a charge for an order that does not exist',
    names: 'stray',
    breaks: ['I3'],
    sql: { bank: `insert into charges (key, state, amount, currency) values ('stray', 'captured', 100, 'EUR')` },
  },
  {
    what: 'a payment of another amount than the order',
    names: '1',
    breaks: ['I3'],
    sql: { payments: `update payments set amount = amount + 1 where order_id = '1'` },
  },
  {
    what: 'float rounding in a total',
    names: '1',
    breaks: ['I3'],
    sql: {
      orders: `update order_events set data = jsonb_set(data, '{total,amount}', '58699.99999999999')
                where order_id = '1' and type = 'placed'`,
    },
  },
  {
    what: 'a total that is a cent short, everywhere in orders',
    names: '1',
    breaks: ['I3'],
    sql: {
      orders: `update order_events set data = jsonb_set(data, '{total,amount}', '58699') where order_id = '1' and version = 1;
               update orders set total_amount = 58699 where id = '1'`,
    },
  },
  {
    what: 'a refund missing',
    names: '4',
    breaks: ['I6'],
    sql: {
      bank: `delete from entries where key = '4' and kind = 'refund'; update charges set state = 'captured' where key = '4'`,
    },
  },
  {
    what: 'a refund made twice',
    names: '4',
    breaks: ['I6'],
    sql: {
      bank: `${manyEntries} insert into entries (key, kind, amount, currency) values ('4', 'refund', -3200, 'EUR')`,
    },
  },
  {
    what: 'a cancelled order whose money both books kept',
    names: '4',
    breaks: ['I6'],
    sql: {
      bank: `delete from entries where key = '4' and kind = 'refund'; update charges set state = 'captured' where key = '4'`,
      payments: `update payments set state = 'captured' where order_id = '4';
                 delete from outbox where id = 'seed-4-payments.payment.reversed'`,
    },
  },
];
