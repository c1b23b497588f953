import { describe, expect, it } from 'vitest';
import { printRebuilt } from './print.ts';
import type { Rebuilt } from './rebuild.ts';

const equal: Rebuilt = {
  service: 'orders',
  table: 'prices',
  events: 212,
  rows: 200,
  differing: 0,
  differences: [],
  swapped: true,
  seconds: 0.24,
  lockedMs: 6,
};

describe('printRebuilt', () => {
  it('when nothing differs, is one line for each read model', () => {
    const [head, line, ...more] = printRebuilt([equal]).split('\n');
    expect(head?.trim().split(/\s+/)).toEqual(['READ', 'MODEL', 'EVENTS', 'ROWS', 'DIFFERING', 'SECONDS', 'LOCKED']);
    expect(line?.trim().split(/\s+/)).toEqual(['orders.prices', '212', '200', '0', '0.2', '6', 'ms', 'swapped']);
    expect(more).toEqual([]);
  });

  it('when rows differ, says which and how, and what to do', () => {
    const key = (id: string) => ({ tenant: 'main', id });
    const differences: Rebuilt['differences'] = [
      { key: key('1'), kind: 'other', columns: [{ name: 'state', has: 'paid', replayed: 'shipped' }] },
      { key: key('2'), kind: 'missing', columns: [] },
      { key: key('3'), kind: 'groundless', columns: [] },
    ];
    const differing: Rebuilt = { ...equal, table: 'orders', differing: 7, differences, swapped: false };
    expect(printRebuilt([differing]).split('\n').slice(2)).toEqual([
      '',
      'orders.orders differs from its events in 7 rows:',
      '  main/1: state is "paid", its events make it "shipped"',
      '  main/2: its events make a row, and there is none',
      '  main/3: there is a row, and no event of it',
      '  ... and 4 more',
      'It is as it was. If its projection was changed, or its rows damaged: `make replay service=orders swap=1` takes what its events make.',
    ]);
    expect(printRebuilt([{ ...differing, swapped: true }])).toMatch(/differed.*It is now what its events make it\.$/s);
  });
});
