import { describe, expect, it } from 'vitest';
import { inBatches } from './batches.ts';

describe('inBatches', () => {
  it('when one comes alone, it is done at once; what comes meanwhile is the next batch, of no more than asked for', async () => {
    const batches: number[][] = [];
    const double = inBatches(3, async (numbers: readonly number[]) => {
      batches.push([...numbers]);
      await Promise.resolve();
      return numbers.map((n) => 2 * n);
    });
    const first = double(1);
    await Promise.resolve();
    expect(await Promise.all([first, ...[2, 3, 4, 5].map(double)])).toEqual([2, 4, 6, 8, 10]);
    expect(batches).toEqual([[1], [2, 3, 4], [5]]);
    expect(await double(6)).toBe(12);
  });

  it('when a batch throws, or forgets one, whoever waits for it is told, and the next is done all the same', async () => {
    const work = inBatches(2, async (texts: readonly string[]) => {
      await Promise.resolve();
      if (texts.includes('bad')) throw new Error('no');
      return texts.filter((text) => text !== 'forgotten');
    });
    const settled = await Promise.allSettled(['a', 'bad', 'b', 'c', 'forgotten', 'd'].map(work));
    expect(settled.map(({ status }) => status)).toEqual([
      'rejected',
      'rejected',
      'fulfilled',
      'fulfilled',
      'rejected',
      'rejected',
    ]);
  });
});
