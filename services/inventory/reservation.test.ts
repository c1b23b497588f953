import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ImpossibleInput } from '../_chassis/impossible.ts';
import { allocate, decideReservation, moveStock } from './reservation.ts';

describe('decideReservation', () => {
  it('when all lines fit, they are reserved and confirmed', () => {
    expect(decideReservation('none', 'reservation.requested (fits)')).toEqual({
      kind: 'moved',
      state: 'reserved',
      stock: 'reserve',
      answer: 'reservation.confirmed',
    });
  });

  it('when a line is lacking, no stock is touched', () => {
    expect(decideReservation('none', 'reservation.requested (lacking)')).toEqual({
      kind: 'moved',
      state: 'refused',
      stock: undefined,
      answer: 'reservation.refused',
    });
  });

  it('when the withdrawal overtakes its request, the request finds the tombstone and nobody is answered', () => {
    const withdrawn = decideReservation('none', 'reservation.withdrawn');

    expect(withdrawn).toEqual({ kind: 'moved', state: 'released', stock: undefined, answer: undefined });
    expect(decideReservation('released', 'reservation.requested (fits)')).toEqual({ kind: 'unchanged' });
  });

  it('when it ends, the stock goes back or out', () => {
    expect(decideReservation('reserved', 'reservation.withdrawn')).toMatchObject({
      state: 'released',
      stock: 'release',
    });
    expect(decideReservation('reserved', 'shipment.dispatched')).toMatchObject({ state: 'shipped', stock: 'ship' });
  });

  it('when a pair is not listed, it throws', () => {
    expect(() => decideReservation('released', 'shipment.dispatched')).toThrow(ImpossibleInput);
  });
});

describe('moveStock', () => {
  it('when units move, none appears or vanishes', () => {
    const counts = { available: 5, reserved: 3, shipped: 1 };

    expect(moveStock(counts, 'reserve', 2)).toEqual({ available: 3, reserved: 5, shipped: 1 });
    expect(moveStock(counts, 'release', 2)).toEqual({ available: 7, reserved: 1, shipped: 1 });
    expect(moveStock(counts, 'ship', 2)).toEqual({ available: 5, reserved: 1, shipped: 3 });
  });
});

describe('allocate', () => {
  const stock = [
    { productId: 'apple', warehouse: 'north', available: 2 },
    { productId: 'apple', warehouse: 'south', available: 5 },
    { productId: 'bread', warehouse: 'north', available: 0 },
  ];

  it('when one warehouse has enough, a line is not split', () => {
    expect(allocate([{ productId: 'apple', quantity: 4 }], stock)).toEqual({
      fits: true,
      lines: [{ productId: 'apple', warehouse: 'south', quantity: 4 }],
    });
  });

  it('when only all warehouses together have enough, the fullest gives first', () => {
    expect(allocate([{ productId: 'apple', quantity: 6 }], stock)).toEqual({
      fits: true,
      lines: [
        { productId: 'apple', warehouse: 'south', quantity: 5 },
        { productId: 'apple', warehouse: 'north', quantity: 1 },
      ],
    });
  });

  it('when anything is lacking, nothing is taken and all that is missing is named', () => {
    const wanted = [
      { productId: 'apple', quantity: 8 },
      { productId: 'bread', quantity: 1 },
      { productId: 'cider', quantity: 2 },
    ];

    expect(allocate(wanted, stock)).toEqual({
      fits: false,
      missing: [
        { productId: 'apple', requested: 8, available: 7 },
        { productId: 'bread', requested: 1, available: 0 },
        { productId: 'cider', requested: 2, available: 0 },
      ],
    });
  });

  it('when two lines ask for the same product, they share its stock', () => {
    const twice = { productId: 'apple', quantity: 4 };

    expect(allocate([twice, twice], stock)).toMatchObject({ fits: false, missing: [{ requested: 8, available: 7 }] });
  });

  const product = fc.constantFrom('apple', 'bread');
  const anyWanted = fc.array(fc.record({ productId: product, quantity: fc.integer({ min: 1, max: 9 }) }));
  const anyStock = fc.uniqueArray(
    fc.record({
      productId: product,
      warehouse: fc.constantFrom('north', 'south', 'west'),
      available: fc.integer({ min: 0, max: 9 }),
    }),
    { selector: ({ productId, warehouse }) => `${productId} in ${warehouse}` },
  );

  it('when anything is asked of any stock, it fits exactly if each product suffices, and takes exactly that', () => {
    fc.assert(
      fc.property(anyWanted, anyStock, (wanted, rows) => {
        const allocation = allocate(wanted, rows);
        const suffices = (productId: string) => sum(rows, productId, 'available') >= sum(wanted, productId, 'quantity');

        expect(allocation.fits).toBe(suffices('apple') && suffices('bread'));
        if (!allocation.fits) return;
        for (const productId of ['apple', 'bread']) {
          expect(sum(allocation.lines, productId, 'quantity')).toBe(sum(wanted, productId, 'quantity'));
        }
        for (const { productId, warehouse, quantity } of allocation.lines) {
          const row = rows.find((one) => one.productId === productId && one.warehouse === warehouse);
          expect(quantity).toBeGreaterThan(0);
          expect(quantity).toBeLessThanOrEqual(row?.available ?? 0);
        }
      }),
    );
  });

  it('when the stock rows come in another order, the answer is the same', () => {
    fc.assert(
      fc.property(anyWanted, anyStock, (wanted, rows) => {
        expect(allocate(wanted, rows.toReversed())).toEqual(allocate(wanted, rows));
      }),
    );
  });
});

function sum<Count extends string>(
  rows: readonly ({ readonly productId: string } & Readonly<Record<Count, number>>)[],
  productId: string,
  count: Count,
): number {
  return rows.filter((row) => row.productId === productId).reduce((total, row) => total + row[count], 0);
}
