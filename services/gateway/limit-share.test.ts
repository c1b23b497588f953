import { describe, expect, it } from 'vitest';
import { quotaOf } from './limit-share.ts';

describe('quotaOf', () => {
  it.each([
    [50, 100, { windowMs: 2_000, lot: 4, credit: 2 }],
    [200, 400, { windowMs: 2_000, lot: 16, credit: 8 }],
    [2, 60, { windowMs: 30_000, lot: 2, credit: 1 }],
    [10, 10, { windowMs: 1_000, lot: 1, credit: 0 }],
    [10, 97, { windowMs: 9_700, lot: 1, credit: 0 }],
  ])(
    'when %i a second and %i at once are allowed, a lot divides them and is at most 4 %%',
    (perSecond, burst, more) => {
      expect(quotaOf('read', perSecond, burst, 'alone')).toEqual({ name: 'read', burst, whenAway: 'alone', ...more });
    },
  );

  it('when it is closed without the counters, nothing is given on credit', () => {
    expect(quotaOf('sign-in', 50, 100, 'closed').credit).toBe(0);
  });
});
