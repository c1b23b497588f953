// Runs more or fewer pods of a service in containers: node tools/compose/scale.ts service=products n=3
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { repository } from '../mesh/home.ts';
import { readRunFile } from '../mesh/run-file.ts';
import { UserError } from '../mesh/user-error.ts';
import { writeWhole } from '../mesh/whole-file.ts';
import { composeName, readComposeFile } from './compose-file.ts';
import { tripleOf } from './pod.ts';
import { countsIn, overrideOf, podsOf, scaledCounts, scaleName, tableOf, type Counts } from './scaling.ts';

const scaleFile = join(repository, scaleName);

/** Compose with all files that make this mesh. */
function composeArguments(): string[] {
  const files = [composeName, 'compose.override.yaml', scaleName].filter((name) => existsSync(join(repository, name)));
  return ['compose', ...files.flatMap((name) => ['-f', name])];
}

async function compose(...args: string[]): Promise<void> {
  const child = spawn('docker', [...composeArguments(), ...args], { cwd: repository, stdio: 'inherit' });
  const [code] = (await once(child, 'exit').catch(() => {
    throw new UserError('there is no docker here: this scales a mesh in containers');
  })) as [number | null];
  if (code !== 0) throw new UserError(`docker compose ${args[0]} failed; what it said is above`);
}

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
  const { stdout } = await promisify(execFile)('docker', [...composeArguments(), 'ps', '--format', 'json'], {
    cwd: repository,
    maxBuffer: 16 * 2 ** 20,
  });
  console.log(tableOf(stdout, services, counts));
}

const values = new Map(process.argv.slice(2).map((arg) => [arg.split('=')[0], arg.slice(arg.indexOf('=') + 1)]));
try {
  await scale(values.get('service') ?? '', values.get('n') ?? '');
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
