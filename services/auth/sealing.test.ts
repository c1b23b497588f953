import { describe, expect, it } from 'vitest';
import { createSealing } from './sealing.ts';

describe('what is sealed', () => {
  const sealing = createSealing('one secret');
  const sealed = sealing.seal('a text', 'row 1');

  it('when it is where it was put, it opens, and looks like nothing, the same text never twice', () => {
    expect(sealing.open(sealed, 'row 1')).toBe('a text');
    expect(Buffer.from(sealed, 'base64').includes('a text')).toBe(false);
    expect(sealing.seal('a text', 'row 1')).not.toBe(sealed);
  });

  it('when it was moved to another place, sealed by another secret, or changed, it does not open', () => {
    expect(() => sealing.open(sealed, 'row 2')).toThrow();
    expect(() => createSealing('another secret').open(sealed, 'row 1')).toThrow();
    const bytes = Buffer.from(sealed, 'base64');
    for (const at of bytes.keys()) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(() => sealing.open(changed.toString('base64'), 'row 1')).toThrow();
    }
  });

  it('when it is cut short, in its tag too, it does not open', () => {
    for (const whole of [sealed, sealing.seal('', 'row 1')]) {
      const bytes = Buffer.from(whole, 'base64');
      for (let length = 0; length < bytes.length; length++)
        expect(() => sealing.open(bytes.subarray(0, length).toString('base64'), 'row 1')).toThrow();
    }
  });
});
