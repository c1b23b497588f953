import { describe, expect, it } from 'vitest';
import { estimate, median, percentile, seededRandom } from './statistics.ts';

describe('median', () => {
  it('when there is an even number of values, it is the mean of the two in the middle', () => {
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(median([9, 1, 5])).toBe(5);
  });

  it('when there are no values, it throws', () => {
    expect(() => median([])).toThrow();
  });
});

describe('percentile', () => {
  it('when a hundred values are given, it is the one of that rank', () => {
    const values = Array.from({ length: 100 }, (_, index) => 100 - index);
    expect([0, 0.5, 0.9, 0.99, 1].map((share) => percentile(values, share))).toEqual([1, 50, 90, 99, 100]);
  });
});

describe('seededRandom', () => {
  it('when the seed is the same, the numbers are, and they are spread evenly', () => {
    const [one, other] = [seededRandom(7), seededRandom(7)];
    const drawn = Array.from({ length: 10_000 }, one);
    expect(Array.from({ length: 10_000 }, other)).toEqual(drawn);
    expect(Math.min(...drawn)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...drawn)).toBeLessThan(1);
    const tenths = Array.from({ length: 10 }, (_, tenth) => drawn.filter((x) => Math.floor(x * 10) === tenth).length);
    for (const count of tenths) expect(Math.abs(count - 1_000)).toBeLessThan(150);
  });
});

describe('estimate', () => {
  it('when all values are equal, the interval is that value', () => {
    expect(estimate([2, 2, 2])).toEqual({ median: 2, low: 2, high: 2 });
  });

  it('when samples are drawn from a known distribution, 95 of 100 intervals hold its median', () => {
    const random = seededRandom(3);
    const holds = Array.from({ length: 100 }, () => {
      const { low, high } = estimate(Array.from({ length: 15 }, random));
      return low <= 0.5 && high >= 0.5;
    });
    const share = holds.filter(Boolean).length / holds.length;
    expect(share).toBeGreaterThan(0.9);
    expect(share).toBeLessThan(1);
  });

  it('when one round is far off, the median and its interval stay with the others', () => {
    const { median: middle, high } = estimate([1, 1.01, 0.99, 1, 1.02, 0.98, 1, 1.01, 50]);
    expect(middle).toBe(1);
    expect(high).toBeLessThan(1.03);
  });
});
