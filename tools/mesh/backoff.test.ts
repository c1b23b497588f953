import { describe, expect, it } from 'vitest';
import { nextDelay } from './backoff.ts';

describe('nextDelay', () => {
  it('when nothing had been waited for, starts small', () => {
    expect(nextDelay(0, 0)).toBe(250);
  });

  it('when it dies again and again, doubles up to ten seconds', () => {
    const delays = [0];
    for (let death = 0; death < 8; death += 1) delays.push(nextDelay(delays.at(-1) ?? 0, 0));
    expect(delays.slice(1)).toEqual([250, 500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
  });

  it('when it had been ready for a second, starts small again', () => {
    expect(nextDelay(8_000, 999)).toBe(10_000);
    expect(nextDelay(8_000, 1_000)).toBe(250);
  });
});
