import { describe, expect, it } from 'vitest';
import { assignCarrier } from './carrier.ts';

describe('assignCarrier', () => {
  it('when it is the same order, it is the same carrier and code, and orders are spread over the carriers', () => {
    const ids = Array.from({ length: 200 }, (_, n) => `order-${n}`);
    const assigned = ids.map(assignCarrier);
    expect(ids.map(assignCarrier)).toEqual(assigned);
    expect(new Set(assigned.map(({ carrier }) => carrier)).size).toBe(3);
    expect(new Set(assigned.map(({ trackingCode }) => trackingCode)).size).toBe(200);
    for (const { trackingCode } of assigned) expect(trackingCode).toMatch(/^[A-Z]{2}\d{12}$/);
  });
});
