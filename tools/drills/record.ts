import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { repository } from '../mesh/home.ts';
import { findDaprd } from '../setup/locate.mjs';
import { machine, readMachine, readTree, tree } from '../surroundings.ts';
import type { Drill, DrillResult } from './drill.ts';

const figures = z.record(z.string(), z.union([z.number(), z.string()]));

/** What is kept of a whole run, in the order in which it is written. */
const record = z.strictObject({
  drill: z.string(),
  proves: z.string(),
  size: z.literal('whole'),
  seed: z.number(),
  startedAt: z.iso.datetime(),
  seconds: z.number(),
  ...tree.shape,
  machine: machine.extend({ node: z.string(), daprd: z.string() }),
  figures,
  rounds: z.array(figures),
  violations: z.array(z.string()),
});
export type DrillRecord = z.infer<typeof record>;

/** Where records are kept. */
export const recordsFolder = join(repository, 'docs', 'records');

/** The working tree and the machine as they are when a run begins. */
export const surroundings = (): Pick<DrillRecord, 'startedAt' | 'commit' | 'dirty' | 'machine'> => ({
  startedAt: new Date().toISOString(),
  ...readTree(),
  machine: { ...readMachine(), node: process.versions.node, daprd: findDaprd()?.version ?? 'none' },
});

/** The record of a whole run that has just ended. */
export function recordOf(
  drill: Drill,
  run: { seed: number; before: ReturnType<typeof surroundings>; result: DrillResult },
): DrillRecord {
  const { startedAt, commit, dirty, machine } = run.before;
  const seconds = Math.round((Date.now() - Date.parse(startedAt)) / 1_000);
  const what = { drill: drill.name, proves: drill.proves, size: 'whole', seed: run.seed } as const;
  const { figures, rounds, violations } = run.result;
  return record.parse({ ...what, startedAt, seconds, commit, dirty, machine, figures, rounds, violations });
}

/** A record as text: a line for each fact, and one for each round, so that two records can be compared by eye. */
export function formatRecord(one: DrillRecord): string {
  const block = (value: unknown) =>
    Array.isArray(value) && value.length > 0
      ? `[\n${value.map((entry) => `    ${JSON.stringify(entry)}`).join(',\n')}\n  ]`
      : JSON.stringify(value, undefined, 2).replaceAll('\n', '\n  ');
  const lines = Object.entries(one).map(([key, value]) => `  ${JSON.stringify(key)}: ${block(value)}`);
  return `{\n${lines.join(',\n')}\n}\n`;
}

/** Writes a record over the one before of the same drill, and gives its file. */
export async function writeRecord(one: DrillRecord): Promise<string> {
  await mkdir(recordsFolder, { recursive: true });
  const file = join(recordsFolder, `${one.drill}.json`);
  await writeFile(file, formatRecord(one));
  return file;
}

/** Every record that is kept, by its drill's name. */
export async function readRecords(): Promise<Map<string, DrillRecord>> {
  const files = (await readdir(recordsFolder).catch(() => [])).filter((file) => file.endsWith('.json'));
  const texts = await Promise.all(files.map((file) => readFile(join(recordsFolder, file), 'utf8')));
  return new Map(texts.map((text) => record.parse(JSON.parse(text))).map((one) => [one.drill, one]));
}
