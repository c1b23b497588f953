import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { z } from 'zod';
import { homeAt, repository } from '../mesh/home.ts';
import { containerTests } from './containers.ts';
import { run } from './run-program.ts';
import { startTestPostgres } from './postgres.ts';
import type { Tally } from './tally.ts';

// `check`: format, lint, types and the pure tests. `services`: each service on a real PostgreSQL. `mesh`: end to end.
// `all`: everything. What stands behind the stage's name is a filter on file names.
const [wanted = 'all', ...filters] = process.argv.slice(2);

async function command(name: string, program: string, ...args: string[]): Promise<Tally> {
  const code = await run(program, args);
  return code === 0
    ? { passed: 1, failed: 0, names: [] }
    : { passed: 0, failed: 1, names: [`${name}: ${program} ${args.join(' ')}`] };
}

const report = z.object({
  numPassedTests: z.number(),
  numFailedTests: z.number(),
  numPendingTests: z.number(),
  testResults: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      message: z.string().default(''),
      assertionResults: z.array(
        z.object({ fullName: z.string(), status: z.string(), failureMessages: z.array(z.string()).nullish() }),
      ),
    }),
  ),
});

function failures({ testResults }: z.infer<typeof report>): string[] {
  return testResults.flatMap((file) => {
    const where = relative(repository, file.name);
    const lines = file.assertionResults
      .filter(({ status }) => status !== 'passed')
      .map(({ fullName, status, failureMessages }) => {
        const [cause = status] = failureMessages ?? [];
        return `${where} > ${fullName}\n    ${cause.split('\n').slice(0, 12).join('\n    ')}`;
      });
    return lines.length === 0 && file.status === 'failed' ? [`${where}: ${file.message}`] : lines;
  });
}

/** Runs one of vitest's projects; a file that can't even be loaded is a failure, and so is a test that was skipped. */
async function tests(project: string, env: Record<string, string> = {}): Promise<Tally> {
  const folder = await mkdtemp(join(tmpdir(), 'sidecart-report-'));
  const file = join(folder, 'report.json');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
  const code = await run(
    'vitest',
    ['run', '--configLoader=native', '--project', project, ...reporters, ...filters],
    env,
  );
  const text = await readFile(file, 'utf8').catch(() => '{}');
  await rm(folder, { recursive: true, force: true });
  const result = report.safeParse(JSON.parse(text));
  if (!result.success) return { passed: 0, failed: 1, names: [`${project}: vitest ended with ${code} and no report`] };
  const { numPassedTests: passed, numFailedTests, numPendingTests } = result.data;
  const failed = numFailedTests + numPendingTests;
  const names = failures(result.data);
  if (failed > 0 || code === 0) return { passed, failed, names };
  return { passed, failed: 1, names: [...names, `${project}: errors outside of tests, as said above`] };
}

async function serviceTests(): Promise<Tally> {
  const postgres = await startTestPostgres();
  try {
    return await tests('services', { TEST_DATABASE_URL: postgres.url });
  } finally {
    await postgres.stop();
  }
}

const files = filters.length === 0 ? ['.'] : filters.flatMap((name) => [`**/*${name}*`, `**/*${name}*/**`]);
const lenient = '--no-error-on-unmatched-pattern';
const cache = ['--cache', '--cache-location=.data/eslint/'];
const check = [
  {
    name: 'format',
    run: () => command('format', 'prettier', '--check', '--log-level=warn', '--ignore-unknown', lenient, ...files),
  },
  { name: 'lint', run: () => command('lint', 'eslint', ...cache, lenient, ...files) },
  { name: 'types', run: () => command('types', 'tsc', '-p', '.') },
  { name: 'unit', run: () => tests('unit') },
];
const services = [{ name: 'services', run: serviceTests }];
const mesh = [{ name: 'mesh', run: () => tests('mesh') }];
const suite = [{ name: 'suite', run: () => tests('suite') }];
const containers = [{ name: 'containers', run: () => containerTests((env) => tests('containers', env)) }];
const plans = { check, services, mesh, suite, containers, all: [...check, ...services, ...mesh, ...containers] };

const plan = Object.entries(plans).find(([name]) => name === wanted)?.[1];
if (!plan) {
  console.error(`there is no stage ${wanted}; there are ${Object.keys(plans).join(', ')}`);
  process.exit(2);
}

// Service and mesh tests want the ports of a mesh of this folder.
if (plan !== check && existsSync(homeAt(repository).stateFile)) {
  console.log('stopping the mesh of this folder for the tests; `make up` starts it again');
  await run('node', ['tools/mesh/cli.ts', 'down']);
}

const started = Date.now();
const rows: (Tally & { name: string; seconds: number })[] = [];
for (const stage of plan) {
  const from = Date.now();
  console.log(`\n── ${stage.name} ──`);
  rows.push({ name: stage.name, ...(await stage.run()), seconds: (Date.now() - from) / 1_000 });
}
console.log(`\n${'stage'.padEnd(10)}${'passed'.padStart(8)}${'failed'.padStart(8)}${'seconds'.padStart(9)}`);
for (const { name, passed, failed, seconds } of rows) {
  console.log(
    name.padEnd(10) + String(passed).padStart(8) + String(failed).padStart(8) + seconds.toFixed(1).padStart(9),
  );
}
const names = rows.flatMap((row) => row.names);
if (names.length > 0) console.log(`\nfailed:\n${names.map((name) => `  ${name}`).join('\n')}\n`);
const sum = (of: 'passed' | 'failed') => rows.reduce((total, row) => total + row[of], 0);
console.log(`in ${Math.round((Date.now() - started) / 1_000)} s`);
console.log(`${sum('passed')} passed, ${sum('failed')} failed`);
process.exit(sum('failed') === 0 ? 0 : 1);
