import { describe, expect, it } from 'vitest';
import { normaliseEmail, normaliseName, passwordProblem, waitAfter } from './account.ts';

describe('normaliseEmail', () => {
  it('when two are the same to a mail server, they are the same here; what is none is refused', () => {
    expect(normaliseEmail(' Ada@Example.COM ')).toBe('ada@example.com');
    for (const text of [
      '',
      'ada',
      'ada@',
      '@example.com',
      'a b@example.com',
      'ada@example',
      `${'a'.repeat(65)}@example.com`,
    ])
      expect(normaliseEmail(text)).toBeUndefined();
  });
});

describe('normaliseName', () => {
  it('when a name could break a line or is too long, it is none', () => {
    expect(normaliseName(' Ada Lovelace ')).toBe('Ada Lovelace');
    for (const text of ['', ' ', 'a\nb', 'a'.repeat(121)]) expect(normaliseName(text)).toBeUndefined();
  });
});

describe('passwordProblem', () => {
  it('when a password is long and not what everybody tries, no kind of character is asked for', () => {
    for (const good of ['plain words that nobody has', 'bbqzkdwmtrax', 'ß'.repeat(4) + ' und Äpfel'])
      expect(passwordProblem(good, 'ada@example.com')).toBeUndefined();
    for (const bad of [
      'eleven chrs',
      'a'.repeat(129),
      'Password2026!',
      '123456789012',
      'ababababababab',
      'ada@example.com',
    ])
      expect(passwordProblem(bad, 'ada@example.com')).toBeDefined();
    expect(passwordProblem('adalovelace1815', 'adalovelace@example.com')).toBeDefined();
  });
});

describe('waitAfter', () => {
  it('when there is one failure after another, the wait doubles, up to a quarter of an hour', () => {
    expect([4, 5, 6, 7, 8].map((failures) => waitAfter(failures, 5))).toEqual([0, 0, 1_000, 2_000, 4_000]);
    expect(waitAfter(1_000, 5)).toBe(900_000);
  });
});
