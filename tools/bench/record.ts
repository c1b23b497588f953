import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { repository } from '../mesh/home.ts';
import { machine, readMachine, readTree, tree } from '../surroundings.ts';

const numbers = z.record(z.string(), z.number());

const round = z.object({
  pinned: z.boolean(),
  steal: z.number(),
  control: z.number().optional(),
  void: z.string().optional(),
  noise: z.string().optional(),
  turns: z.array(z.object({ arm: z.string(), figures: numbers.readonly() })).readonly(),
});

const figure = z.object({
  /** What promises refer to. */
  key: z.string(),
  label: z.string(),
  unit: z.string(),
  median: z.number(),
  low: z.number(),
  high: z.number(),
  /** One a round, in order. */
  values: z.array(z.number()).readonly(),
});

const summary = z.object({
  figures: z.array(figure),
  /** Latencies by arm, in milliseconds; `group` names the conditions, such as pinned. */
  latencies: z
    .array(z.object({ group: z.string(), arm: z.string(), p50: z.number(), p90: z.number(), p99: z.number() }))
    .optional(),
  /** How one figure of an arm is made up: CPU by process. */
  parts: z
    .object({
      label: z.string(),
      unit: z.string(),
      bars: z.array(z.object({ arm: z.string(), parts: z.array(z.object({ name: z.string(), value: z.number() })) })),
    })
    .optional(),
});

/** What a bench found: the arms in words, all rounds with their raw figures, and what follows from those that count. */
const measured = z.object({
  arms: z.record(z.string(), z.string()),
  /** What a reader has to know about how it was measured. */
  notes: z.array(z.string()),
  rounds: z.array(round),
  summary,
});
export type Measured = z.infer<typeof measured>;
export type RecordedFigure = z.infer<typeof figure>;

const record = measured.extend({
  id: z.string(),
  date: z.string(),
  ...tree.shape,
  machine: machine.extend({ cpu: z.string() }),
  versions: z.record(z.string(), z.string()),
});
/** One bench's record as it lies in a JSON file. */
export type BenchRecord = z.infer<typeof record>;

/** Where the records of counting runs lie, and those of runs that were only tried. */
export const recordsFolder = join(repository, 'docs', 'records', 'bench');
export const trialFolder = join(repository, '.data', 'bench');

/** The working tree and the machine as they are when a run begins. */
export const surroundings = (): Pick<BenchRecord, 'date' | 'commit' | 'dirty' | 'machine'> => ({
  date: new Date().toISOString(),
  ...readTree(),
  machine: { ...readMachine(), cpu: cpus()[0]?.model.trim() ?? 'unknown' },
});

/** The record of a run that has just ended, with where and of what it was made. */
export const makeRecord = (
  id: string,
  before: ReturnType<typeof surroundings>,
  found: Measured,
  versions: Readonly<Record<string, string>>,
): BenchRecord => record.parse({ id, ...before, versions, ...found });

/** Writes a record; its text is made for comparing: one round a line. */
export function writeRecord(folder: string, { rounds, ...rest }: BenchRecord): void {
  mkdirSync(folder, { recursive: true });
  const head = JSON.stringify(rest, undefined, 2).slice(0, -2);
  const lines = rounds.map((one) => `    ${JSON.stringify(one)}`).join(',\n');
  writeFileSync(join(folder, `${rest.id}.json`), `${head},\n  "rounds": [\n${lines}\n  ]\n}\n`);
}

/** Every record of a folder, by id; none where there is no folder. */
export function readRecords(folder: string): Map<string, BenchRecord> {
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.json')) : [];
  const records = names.map((name) => record.parse(JSON.parse(readFileSync(join(folder, name), 'utf8'))));
  return new Map(records.map((one) => [one.id, one]));
}
