import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { repository } from '../mesh/home.ts';
import { findDaprd, findK6, findPostgres, findRedis } from '../setup/locate.mjs';

const programs: Readonly<Record<string, () => string | undefined>> = {
  node: () => process.versions.node,
  daprd: () => findDaprd()?.version,
  PostgreSQL: () => findPostgres()[0]?.major.toString(),
  Redis: () => findRedis()?.version,
  k6: () => findK6()?.version,
};
const manifest = z.object({ version: z.string() });

/** The version of each of these programs, or of the npm package of that name. */
export function versionsOf(names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, programs[name]?.() ?? packageVersion(name)]));
}

const packageVersion = (name: string) =>
  manifest.parse(JSON.parse(readFileSync(join(repository, 'node_modules', name, 'package.json'), 'utf8'))).version;
