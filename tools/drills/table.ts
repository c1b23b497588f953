// Writes docs/reliability.md anew: node tools/drills/table.ts
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { repository } from '../mesh/home.ts';
import { duration } from '../mesh/terminal.ts';
import type { Drill } from './drill.ts';
import { drills } from './drills.ts';
import { readRecords, type DrillRecord } from './record.ts';
import { words } from './words.ts';

const file = join(repository, 'docs', 'reliability.md');

/** The page that tells of the drills; every figure on it is out of a record. */
export function reliabilityPage(
  all: readonly Pick<Drill, 'name' | 'proves'>[],
  records: ReadonlyMap<string, DrillRecord>,
): string {
  const rows = all.map(({ name, proves }) => {
    const record = records.get(name);
    const last = record ? lastRun(record) : 'no whole run is recorded';
    return `| \`make drill-${name}\` | ${proves} | ${last} |`;
  });
  return `# Reliability

Long runs on a mesh of their own: real sidecars, PostgreSQL, Redis, and the audit of all books at the end of each round. The
mesh tests run a share of each. The whole is a command, and leaves a record in [\`records/\`](records): seed, commit, machine,
figures, each round, and whatever was wrong. This page is made of the records (\`node tools/drills/table.ts\`).

| command | what it proves | the last whole run |
| --- | --- | --- |
${rows.join('\n')}
`;
}

function lastRun({ drill, figures, violations, startedAt, seconds, commit, dirty, machine }: DrillRecord): string {
  const told = Object.entries(figures).map(([name, value]) => `${words(name)} ${value.toLocaleString('en')}`);
  const verdict = violations.length === 0 ? 'held' : `**${violations.length} violations**`;
  const at = `${startedAt.slice(0, 10)}, ${commit.slice(0, 7)}${dirty ? ' and changes' : ''}, ${machine.cores} cores`;
  return `${verdict}: ${told.join(', ')}; ${duration(seconds * 1_000)} ([record](records/${drill}.json), ${at})`;
}

/** Whether the page says what the records say. */
export const isPageFresh = async (): Promise<boolean> =>
  (await readFile(file, 'utf8').catch(() => '')) === reliabilityPage(drills, await readRecords());

/** Writes the page anew. */
export const writePage = async (): Promise<void> => writeFile(file, reliabilityPage(drills, await readRecords()));

if (import.meta.main) await writePage();
