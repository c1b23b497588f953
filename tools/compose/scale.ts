// Runs more or fewer pods of a service in containers: node tools/compose/scale.ts service=products n=3
import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { repository } from '../mesh/home.ts';
import { readRunFile } from '../mesh/run-file.ts';
import { UserError } from '../mesh/user-error.ts';
import { writeWhole } from '../mesh/whole-file.ts';
import { readComposeFile } from './compose-file.ts';
import { tripleOf } from './pod.ts';
import { composeMesh } from './project.ts';
import { countsIn, overrideOf, podsOf, scaledCounts, scaleName, tableOf, type Counts } from './scaling.ts';

const scaleFile = join(repository, scaleName);

const compose = (...args: string[]) => composeMesh(args, { show: true });

/** Ends the pods that are too many: their sidecars first, which see to it that nobody calls them any more. */
async function endSurplus(before: Counts, after: Counts): Promise<void> {
  const surplus = Object.entries(before).flatMap(([service, count]) =>
    podsOf(service, count).slice(after[service] ?? 1),
  );
  if (surplus.length === 0) return;
  await compose('stop', ...surplus.map((pod) => tripleOf(pod).sidecar));
  await compose('stop', ...surplus.map((pod) => tripleOf(pod).app));
}

async function scale(service: string, n: string): Promise<void> {
  const services = (await readRunFile(join(repository, 'dapr-config', 'dapr.yaml'))).map(({ id }) => id);
  const before = existsSync(scaleFile) ? countsIn(await readFile(scaleFile, 'utf8')) : {};
  const counts = scaledCounts(before, services, service, n);
  const text = overrideOf(await readComposeFile(repository), counts);
  await endSurplus(before, counts);
  if (text === undefined) await rm(scaleFile, { force: true });
  else await writeWhole(scaleFile, text, 0o644);
  // What runs is left as it is, also where its image or its lines in compose.yaml are newer by now.
  await compose('up', '-d', '--wait', '--no-recreate', '--remove-orphans');
  console.log(tableOf(await composeMesh(['ps', '--format', 'json']), services, counts));
}

const values = new Map(process.argv.slice(2).map((arg) => [arg.split('=')[0], arg.slice(arg.indexOf('=') + 1)]));
try {
  await scale(values.get('service') ?? '', values.get('n') ?? '');
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
