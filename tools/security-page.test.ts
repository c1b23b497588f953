import { describe, expect, it } from 'vitest';
import { claimsIn, isThere, readPage } from './security-page.ts';

const wrong = async (notYet: boolean) => {
  const claims = claimsIn(await readPage()).filter((one) => one.notYet === notYet);
  const there = await Promise.all(claims.map(isThere));
  return claims.filter((_, n) => there[n] === notYet).map(({ file, title }) => `${file}: ${title}`);
};

describe('docs/security.md', () => {
  it('when it names a test, there is that file, and that title in it', async () => {
    expect(claimsIn(await readPage()).length).toBeGreaterThan(50);
    expect(await wrong(false)).toEqual([]);
  });

  it('when it says not yet, that is still so (node tools/security-page.ts takes the words away)', async () => {
    expect(await wrong(true)).toEqual([]);
  });

  it('when it names none, it says not yet, or that it is not done', async () => {
    const rows = (await readPage()).split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('| ---'));
    const unproved = rows.filter((row) => claimsIn(row).length === 0 && !/not yet|shown by/.test(row));
    expect(unproved).toEqual([]);
  });
});

describe('a claim', () => {
  it('when file or title do not exist, is noticed', async () => {
    const [here, away, none] = claimsIn(
      '`tools/security-page.test.ts` — "when file or title do not exist, is noticed", ' +
        'not yet: `tools/security-page.test.ts` — "when pigs fly", `tools/nowhere.test.ts` — "when"',
    );
    if (!here || !away || !none) throw new Error('three claims are read');
    expect([here.notYet, away.notYet]).toEqual([false, true]);
    expect(await Promise.all([here, none].map(isThere))).toEqual([true, false]);
  });
});
