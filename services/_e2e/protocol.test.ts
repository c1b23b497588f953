import { describe, expect, it } from 'vitest';
import { mutations, withRow } from './protocol/mutations.ts';
import { runSchedule } from './protocol/schedules.ts';
import { walk } from './protocol/walk.ts';
import { newShelf, newWorld, realTables, type Tables } from './protocol/world.ts';

const apple = [{ productId: 'apple', quantity: 1 }];
const enough = [newShelf('apple', 'north', 1)];
const nothing = [newShelf('apple', 'north', 0)];
const starts = [
  newWorld({ wanted: apple, covered: true, stock: enough }),
  newWorld({ wanted: apple, covered: false, stock: enough }),
  newWorld({ wanted: apple, covered: true, stock: nothing }),
];
const walkOn = (tables: Tables) => walk({ tables, inbox: true }, starts);

describe('one order, in every order of messages, crashes, losses and wishes', () => {
  it('when every reachable state is walked, nothing is broken, and the certain steps alone lead to an end', () => {
    const { violation, states, ends } = walkOn(realTables);

    expect(violation).toBeUndefined();
    expect(states).toBeGreaterThan(1_000);
    expect(ends).toBeGreaterThan(100);
  });

  it('when every reachable state is walked, every row is used, but where the bank would contradict itself', () => {
    const unused = new Set(listedRows());

    walk({ tables: realTables, inbox: true, used: (...row) => unused.delete(rowName(...row)) }, starts);

    expect([...unused].sort()).toEqual([
      'bank: captured + charge (not covered)',
      'bank: declined + charge (covered)',
      'bank: refunded + charge (not covered)',
      'payments: captured + charge.declined',
      'payments: captured + charge.refunded',
      'payments: captured + charge.voided',
      'payments: declined + charge.captured',
      'payments: declined + charge.refunded',
      'payments: declined + charge.voided',
      'payments: refunded + charge.declined',
      'payments: refunded + charge.voided',
      'payments: refunded + reverse.declined',
      'payments: refunded + reverse.voided',
      'payments: voided + charge.captured',
      'payments: voided + charge.refunded',
      'payments: voided + reverse.refunded',
    ]);
  });

  it('when the deadline of a paid order cancels it, nothing is broken either', () => {
    const { cancel } = realTables.orders.paid;

    expect(cancel).toBeDefined();
    expect(walkOn(withRow('orders', 'paid', { deadline: cancel ?? 'unchanged' })).violation).toBeUndefined();
  });
});

function listedRows(): string[] {
  const { stock: _counts, ...machines } = realTables;
  return Object.entries<Readonly<Record<string, object>>>(machines).flatMap(([machine, table]) =>
    Object.entries(table).flatMap(([state, inputs]) =>
      Object.keys(inputs).map((input) => rowName(machine, state, input)),
    ),
  );
}

function rowName(machine: string, state: string, input: string): string {
  return `${machine}: ${state} + ${input}`;
}

describe('several orders for too little stock', () => {
  it(
    'when 20,000 random schedules are run, nothing is broken, and orders end in every way',
    { timeout: 60_000 },
    () => {
      const ends = new Map<string, number>();
      for (let seed = 0; seed < 20_000; seed += 1) {
        const run = runSchedule({ tables: realTables, inbox: true }, seed);
        if (run.violation) expect.fail(`seed ${seed}: ${JSON.stringify(run.violation, undefined, 2)}`);
        for (const end of run.ends) ends.set(end, (ends.get(end) ?? 0) + 1);
      }

      expect([...ends.keys()].sort()).toEqual(['cancelled', 'payment-failed', 'rejected', 'shipped']);
      expect(Math.min(...ends.values())).toBeGreaterThan(2_000);
    },
  );
});

/** Effects that no invariant needs, and why. */
const dispensable = {
  'orders: paid + cancel without shipment.withdrawn':
    'the cancellation is ineffective: fulfillment never hears of it and ships, which is an end that a cancellation may have',
  'tries: charge + first without post': 'the next try finds none and makes the POST: only slower',
  'tries: reverse + first without post': 'the next try finds none or captured and makes the POST: only slower',
  'tries: charge + voided without voided': 'only a late try finds it: the payment asks for the reversal by then',
  'tries: charge + refunded without refunded': 'only a late try finds it: the payment asks for the reversal by then',
};

describe('the walk itself', () => {
  it('when any effect is taken out of the tables, it notices, but for those listed', { timeout: 60_000 }, () => {
    const all = mutations();

    const unnoticed = all.filter(({ tables }) => walkOn(tables).violation === undefined);

    expect(all.length).toBeGreaterThan(90);
    expect(unnoticed.map(({ name }) => name).sort()).toEqual(Object.keys(dispensable).sort());
  });

  it('when no inbox stops a duplicate, it notices', () => {
    expect(walk({ tables: realTables, inbox: false }, starts).violation).toMatchObject({ invariant: 'impossible' });
  });

  const reversedVoided = { kind: 'payment.reversed', outcome: 'voided' } as const;
  const everything = ['shipment.withdrawn', 'payment.withdrawn', 'reservation.withdrawn'] as const;
  const mistakes: [name: string, tables: Tables, invariant: string][] = [
    ['"not found" at the bank is taken for "never charged"', withRow('tries', 'reverse', { none: 'voided' }), 'I6'],
    ['"not found" at the bank is taken for a decline', withRow('tries', 'charge', { none: 'declined' }), 'I3'],
    [
      'a time-out is taken for a decline',
      withRow('payments', 'charging-sent', {
        'charge.unknown': { becomes: 'declined', answer: { kind: 'payment.declined' } },
      }),
      'I3',
    ],
    ['the bank is asked again by POST only', withRow('tries', 'charge', { again: 'post' }), 'I2'],
    [
      'what was sent to the bank is voided without asking it',
      withRow('payments', 'charging-sent', { 'payment.withdrawn': { becomes: 'voided', answer: reversedVoided } }),
      'I6',
    ],
    [
      'a late answer of the bank overwrites a newer state',
      withRow('payments', 'refunded', {
        'charge.captured': { becomes: 'captured', answer: { kind: 'payment.captured' } },
      }),
      'impossible',
    ],
    [
      'a decline is ignored while the order is being cancelled',
      withRow('orders', 'cancelling-payment', { 'payment.declined': 'unchanged' }),
      'I2',
    ],
    [
      'money and stock go back before fulfillment has answered',
      withRow(
        'orders',
        'paid',
        { cancel: { events: ['withdrawn'], messages: everything } },
        withRow('orders', 'cancelling-shipment', { 'shipment.cancelled': { events: ['stopped'], messages: [] } }),
      ),
      'I6',
    ],
    [
      'a deadline ends an order whose payment is on its way',
      withRow('orders', 'reserved', { deadline: { events: ['declined'], messages: ['reservation.withdrawn'] } }),
      'impossible',
    ],
    [
      'a withdrawal that overtakes its request leaves no tombstone at payments',
      withRow('payments', 'none', { 'payment.withdrawn': 'unchanged' }),
      'I2',
    ],
    [
      'a withdrawal that overtakes its request leaves no tombstone at fulfillment',
      withRow('fulfillment', 'none', { 'shipment.withdrawn': 'unchanged' }),
      'I13',
    ],
  ];
  it.each(mistakes)('when %s, it notices', (_name, tables, invariant) => {
    expect(walkOn(tables).violation).toMatchObject({ invariant });
  });
});
