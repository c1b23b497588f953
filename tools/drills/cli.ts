// A whole drill, and its record: node tools/drills/cli.ts <name>
import { relative } from 'node:path';
import { createProgressView, duration, styled, table } from '../mesh/terminal.ts';
import { UserError } from '../mesh/user-error.ts';
import type { Drill } from './drill.ts';
import { drills } from './drills.ts';
import { recordOf, surroundings, writeRecord, type DrillRecord } from './record.ts';
import { writePage } from './table.ts';
import { words } from './words.ts';

const seed = 1;

async function whole(drill: Drill): Promise<DrillRecord> {
  const before = surroundings();
  const interrupt = new AbortController();
  const end = () => interrupt.abort();
  process.once('SIGINT', end).once('SIGTERM', end);
  const view = createProgressView();
  try {
    view.show({ kind: 'started', step: drill.name });
    const report = (text: string) => view.show({ kind: 'detail', step: drill.name, text });
    const result = await drill.run('whole', { seed, report, signal: interrupt.signal });
    return recordOf(drill, { seed, before, result });
  } finally {
    view.close();
  }
}

function show({ figures, rounds, violations, seconds }: DrillRecord): void {
  const [first] = rounds;
  if (first) {
    const names = Object.keys(first);
    console.log(
      `\n${table([names.map(words), ...rounds.map((round) => names.map((name) => `${round[name] ?? ''}`))])}`,
    );
  }
  console.log(`\n${table(Object.entries(figures).map(([name, value]) => [words(name), String(value)]))}\n`);
  for (const violation of violations) console.log(`  ${styled('red', violation)}`);
  const verdict = violations.length === 0 ? styled('green', 'held') : styled('red', `${violations.length} violations`);
  console.log(`  ${verdict}, ${duration(seconds * 1_000)}`);
}

const drill = drills.find(({ name }) => name === process.argv[2]);
try {
  if (!drill) throw new UserError(`usage: node tools/drills/cli.ts ${drills.map(({ name }) => name).join(' | ')}`);
  console.log(`${styled('bold', drill.name)}: ${drill.proves}`);
  const record = await whole(drill);
  const file = await writeRecord(record);
  await writePage();
  show(record);
  console.log(`  ${relative(process.cwd(), file)}`);
  process.exit(record.violations.length === 0 ? 0 : 1);
} catch (error) {
  console.error(error instanceof UserError ? error.message : error);
  process.exit(1);
}
