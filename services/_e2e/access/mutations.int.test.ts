import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { mutate, type Part } from './mutation.ts';
import { mutations } from './mutations.ts';
import { servicesOf } from './probes.ts';

const repository = fileURLToPath(new URL('../../../', import.meta.url));
const atOnce = 2;
const run = promisify(execFile);
const lines = z.array(z.string());

const copies: string[] = [];
beforeAll(async () => {
  for (let i = 0; i < atOnce; i++) {
    const copy = await mkdtemp(join(tmpdir(), 'sidecart-access-'));
    copies.push(copy);
    await cp(join(repository, 'services'), join(copy, 'services'), { recursive: true });
    await cp(join(repository, 'package.json'), join(copy, 'package.json'));
    await symlink(join(repository, 'node_modules'), join(copy, 'node_modules'));
  }
});
afterAll(async () => {
  for (const copy of copies) await rm(copy, { recursive: true, force: true });
});

/** What one part of the tests finds in a copy. */
async function findings(copy: string, { part, locked = true, routes }: Part): Promise<string[]> {
  const file = join(copy, 'services/_e2e/access/run.ts');
  const environment = { ...process.env, NODE_COMPILE_CACHE: join(copy, '.cache') };
  const args = [file, part, locked ? 'locked' : 'open', ...routes];
  const { stdout } = await run(process.execPath, args, { env: environment, timeout: 120_000 });
  return lines.parse(JSON.parse(stdout));
}

/**
 * Parts as few as can be: those of one kind are one where they have the same services answer, and without row-level
 * security if any is; with it nothing more could be found.
 */
function together(parts: readonly Part[]): Part[] {
  const kinds = Map.groupBy(parts, ({ part, routes }) => JSON.stringify([part, servicesOf(routes)]));
  return [...kinds.values()].flatMap((same) =>
    same.slice(0, 1).map(({ part }) => ({
      part,
      locked: same.every(({ locked = true }) => locked),
      routes: [...new Set(same.flatMap(({ routes }) => routes))],
    })),
  );
}

/** Does this for each of them, in as many copies at once as there are. */
async function inCopies<T>(items: readonly T[], work: (item: T, copy: string) => Promise<void>): Promise<void> {
  const queue = items.values();
  await Promise.all(
    copies.map(async (copy) => {
      for (const item of queue) await work(item, copy);
    }),
  );
}

describe('the code without one of its checks', () => {
  it('when nothing is missing, nothing is found', { timeout: 300_000 }, async () => {
    const found: string[] = [];
    await inCopies(
      together(mutations.map(({ foundBy }) => foundBy)),
      async (part, copy) => void found.push(...(await findings(copy, part))),
    );
    expect(found).toEqual([]);
  });

  it('when any single check is missing, it is found', { timeout: 900_000 }, async () => {
    const unseen: string[] = [];
    await inCopies(mutations, async (mutation, copy) => {
      const file = join(copy, 'services', mutation.file);
      const source = await readFile(file, 'utf8');
      await writeFile(file, mutate(source, mutation));
      const found = await findings(copy, mutation.foundBy).finally(() => writeFile(file, source));
      if (found.length === 0) unseen.push(`${mutation.file}: without ${mutation.text} (${mutation.within ?? ''})`);
      if (process.env['ACCESS_SHOW']) process.stderr.write(`${mutation.file} ${mutation.text}: ${found[0]}\n`);
    });
    expect(unseen).toEqual([]);
  });
});
