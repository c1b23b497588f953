import { join } from 'node:path';
import { repository } from '../mesh/home.ts';
import { UserError } from '../mesh/user-error.ts';
import { fewestRounds, type Bench } from './bench.ts';
import { requireTwoCores } from './cores.ts';
import { p1 } from './p1.ts';
import { p2 } from './p2.ts';
import { p3 } from './p3.ts';
import { p4 } from './p4.ts';
import { p7 } from './p7.ts';
import { p9 } from './p9.ts';
import { makeRecord, readRecords, recordsFolder, surroundings, trialFolder, writeRecord } from './record.ts';
import { renderReport, writeReport } from './report.ts';
import { isNoisy, kept, mainRounds } from './rounds.ts';
import { versionsOf } from './versions.ts';

// `bench` measures and then writes the report, `report` only writes it.
const benches: readonly Bench[] = [p1, p2, p3, p4, p7, p9];
const docs = join(repository, 'docs');

const [command = 'bench', ...words] = process.argv.slice(2);
const given = new Map(words.map((word) => [word.split('=')[0] ?? '', word.slice(word.indexOf('=') + 1)]));

function wantedBenches(): Bench[] {
  const ids = (given.get('only') ?? '').split(',').filter(Boolean);
  const unknown = ids.find((id) => !benches.some((bench) => bench.id === id));
  if (unknown !== undefined)
    throw new UserError(`there is no bench ${unknown}; there are ${benches.map(({ id }) => id).join(', ')}`);
  return benches.filter(({ id }) => ids.length === 0 || ids.includes(id));
}

function wantedRounds(): number {
  const text = given.get('rounds') ?? '';
  const rounds = text === '' ? fewestRounds : Number(text);
  if (!Number.isInteger(rounds) || rounds < 1) throw new UserError(`rounds=${text} is not a number of rounds`);
  return rounds;
}

const minutes = (seconds: number) => `${Math.max(1, Math.round(seconds / 60))} min`;
const say = (line: string) => console.log(line);

/** Runs one bench and writes its record; false when it proves nothing: too few rounds were whole, or too many noisy. */
async function measure(bench: Bench, rounds: number): Promise<boolean> {
  const started = Date.now();
  const before = surroundings();
  const found = await bench.run({ rounds, say });
  const main = mainRounds(found.rounds);
  const [few, noisy] = [kept(main).length < rounds, isNoisy(main)];
  const folder = few || rounds < fewestRounds || (noisy && hasQuietRecord(bench.id)) ? trialFolder : recordsFolder;
  writeRecord(folder, makeRecord(bench.id, before, found, versionsOf(bench.parts)));
  const verdict = few
    ? 'over a third of the rounds were void'
    : noisy
      ? 'over a third of the rounds were noisy'
      : 'done';
  say(`${bench.id}: ${verdict}, ${minutes((Date.now() - started) / 1_000)}; ${join(folder, `${bench.id}.json`)}`);
  return !few && !noisy;
}

/** What was measured in peace is not replaced by what was measured under noise. */
function hasQuietRecord(id: string): boolean {
  const record = readRecords(recordsFolder).get(id);
  return record !== undefined && !isNoisy(mainRounds(record.rounds));
}

function report(): void {
  writeReport(docs, renderReport(readRecords(recordsFolder)));
  const trials = readRecords(trialFolder);
  if (trials.size > 0) writeReport(trialFolder, renderReport(trials));
}

async function bench(): Promise<boolean> {
  requireTwoCores();
  const [wanted, rounds] = [wantedBenches(), wantedRounds()];
  const total = wanted.reduce((sum, one) => sum + one.seconds(rounds), 0);
  const list = wanted.map((one) => `${one.id} ${minutes(one.seconds(rounds))}`).join(', ');
  say(`${list}: about ${minutes(total)} in all. Leave the machine alone meanwhile: noisy rounds prove nothing.`);
  if (rounds < fewestRounds)
    say(`Fewer than ${fewestRounds} rounds are only a trial: records and report go to ${trialFolder}.`);
  let good = true;
  for (const one of wanted) {
    say(`\n── ${one.id} ──`);
    const ended = await measure(one, rounds).catch((error: unknown) => {
      console.error(
        `${one.id} failed: ${error instanceof UserError ? error.message : error instanceof Error ? error.stack : String(error)}`,
      );
      return false;
    });
    good = good && ended;
  }
  report();
  return good;
}

try {
  if (command === 'report') report();
  else process.exitCode = (await bench()) ? 0 : 1;
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}
