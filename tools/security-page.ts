// Takes "not yet" from the tests in docs/security.md that exist by now: node tools/security-page.ts
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { repository } from './mesh/home.ts';

const page = join(repository, 'docs', 'security.md');
const claim = /(not yet: )?`([^`]+)` — "([^"]+)"/g;

/** A test that the page names. */
export interface Claim {
  readonly file: string;
  readonly title: string;
  readonly notYet: boolean;
}

/** Every test that a page names, by its file and title. */
export const claimsIn = (text: string): Claim[] =>
  [...text.matchAll(claim)].map(([, notYet, file = '', title = '']) => ({ file, title, notYet: notYet !== undefined }));

/** Whether a file of this repository has that title in it, as a text of its own. */
export async function isThere({ file, title }: Pick<Claim, 'file' | 'title'>): Promise<boolean> {
  const source = await readFile(join(repository, file), 'utf8').catch(() => '');
  return [`'${title.replaceAll("'", "\\'")}'`, `"${title}"`, `\`${title}\``].some((text) => source.includes(text));
}

/** The page as it is. */
export const readPage = (): Promise<string> => readFile(page, 'utf8');

if (import.meta.main) {
  let text = await readPage();
  for (const one of claimsIn(text)) {
    const words = `\`${one.file}\` — "${one.title}"`;
    if (one.notYet && (await isThere(one))) text = text.replaceAll(`not yet: ${words}`, words);
  }
  await writeFile(page, text);
}
