import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Home } from './home.ts';
import type { Pair } from './pair.ts';
import { loadedResiliencies } from './probe.ts';
import type { RunApp } from './run-file.ts';
import { UserError } from './user-error.ts';

/** Fails when a sidecar runs without the mesh's policies: daprd only logs a mistake in them, and goes on without any. */
export async function requireResiliency(pairs: readonly Pair[], apps: readonly RunApp[], home: Home): Promise<void> {
  const counts = await Promise.all(pairs.map(({ ports }) => loadedResiliencies(ports)));
  const bare = pairs.find((_, index) => (counts[index] ?? 0) < 1);
  if (!bare) return;
  const folders = apps.find(({ id }) => id === bare.service)?.resourcesPaths ?? [];
  const files = (await Promise.all(folders.map(resiliencyFiles))).flat();
  const where = files.length > 0 ? files.join(', ') : `none of ${folders.join(', ')} has a file of kind Resiliency`;
  const log = await readFile(join(home.logs, `${bare.name}.sidecar.log`), 'utf8');
  const reasons = log.split('\n').filter((line) => line.includes('"error"') && /resiliency/i.test(line));
  const reason = /"msg":"((?:[^"\\]|\\.)*)"/.exec(reasons.at(-1) ?? '')?.[1] ?? 'only one document a file is read';
  throw new UserError(`${bare.name} runs without resiliency policies: ${where} (${reason})`);
}

async function resiliencyFiles(folder: string): Promise<string[]> {
  const files = (await readdir(folder)).filter((name) => /\.ya?ml$/.test(name)).map((name) => join(folder, name));
  const texts = await Promise.all(files.map((file) => readFile(file, 'utf8')));
  return files.filter((_, index) => /^kind: Resiliency/m.test(texts[index] ?? ''));
}
