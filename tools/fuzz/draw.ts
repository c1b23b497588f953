import { randomNumbers } from '../../services/_e2e/random.ts';

/** Chance, the same for the same seed. */
export interface Draw {
  /** A whole number from 0 to below `count`. */
  upTo(count: number): number;
  /** True once in so many times. */
  oneIn(times: number): boolean;
  of<T>(list: readonly T[]): T;
}

/** The draws of one case of one seed, so that each case can be had alone. */
export function drawsOf(seed: number, n: number): Draw {
  const upTo = randomNumbers(Math.imul(seed, 0x9e3779b1) + Math.imul(n, 0x85ebca6b));
  return {
    upTo,
    oneIn: (times) => upTo(times) === 0,
    of(list) {
      const index = upTo(list.length);
      const found = list[index];
      if (found === undefined && index >= list.length) throw new Error('there is nothing to draw from');
      return found as (typeof list)[number];
    },
  };
}
