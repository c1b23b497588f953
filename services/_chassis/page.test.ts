import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { decodeCursor, encodeCursor } from './page.ts';

const position = z.object({ at: z.number().int(), id: z.string().max(64) });

describe('a cursor', () => {
  it('when it comes back as it was given out, it is the same position, and fits into a URL', () => {
    const positions = fc.record({
      at: fc.integer(),
      id: fc.oneof(fc.string({ maxLength: 64 }), fc.constantFrom('é', '\0', '\ud800', '😀')),
    });
    fc.assert(
      fc.property(positions, (given) => {
        const cursor = encodeCursor(given);
        expect(cursor).toMatch(/^[\w-]+$/);
        expect(decodeCursor(position, cursor)).toEqual(given);
      }),
    );
  });

  it('when it is anything else, it is no position and nothing is thrown', () => {
    fc.assert(fc.property(fc.string(), (text) => decodeCursor(position, text) === undefined));
    const made = ['', 'null', '[]', '{}', '{"at":"1","id":"x"}', '{"at":1}', '{"at":1e999,"id":"x"}', '{"at":1,"id":'];
    for (const text of made) expect(decodeCursor(position, Buffer.from(text).toString('base64url'))).toBeUndefined();
    expect(decodeCursor(position, encodeCursor({ at: 1, id: 'x'.repeat(65) }))).toBeUndefined();
  });
});
