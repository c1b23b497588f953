// What a running mesh in containers takes of the machine's memory, now or after so many minutes of shopping, which it records:
// node tools/compose/memory-cli.ts [project=sidecart] [minutes=10] [--json]
import { setTimeout as delay } from 'node:timers/promises';
import Docker from 'dockerode';
import { findProject } from '../chaos/project.ts';
import { tallied } from '../chaos/seen.ts';
import { openShop } from '../chaos/shoppers.ts';
import { whilePeopleShop } from '../chaos/shopping.ts';
import { table } from '../mesh/terminal.ts';
import { UserError } from '../mesh/user-error.ts';
import { createProgressLine } from '../progress-line.ts';
import { keepMeasured, surroundings, type MemoryRecord } from './measured.ts';
import { writeMeasuredPage } from './measured-page.ts';
import { floorMib, meshSum, sumsOf, usagesOf, type Usage } from './memory.ts';

const values = new Map(process.argv.slice(2).map((arg) => [arg.split('=')[0], arg.slice(arg.indexOf('=') + 1)]));
const name = values.get('project') || process.env['COMPOSE_PROJECT_NAME'] || 'sidecart';
const minutes = Number(values.get('minutes') || 0);
const docker = new Docker();

/** Lets people shop for so long, and measures while they still do. */
async function measureUnderLoad(): Promise<MemoryRecord> {
  const progress = createProgressLine(process.stderr);
  const project = await findProject(docker, name);
  const shoppers = await openShop(project);
  return whilePeopleShop(project, shoppers, async ({ load, audit }) => {
    for (let minute = 0; minute < minutes; minute += 1) {
      progress.show(`  minute ${minute + 1} of ${minutes}`);
      await delay(60_000);
    }
    const containers = await usagesOf(docker, name);
    progress.show('  auditing');
    const violations = await audit();
    progress.clear();
    return { ...surroundings(), minutes, saw: load.seen.take(), audit: violations, containers };
  });
}

function show(all: readonly Usage[]): void {
  const whole = (value: number) => Math.round(value).toLocaleString('en');
  const rows = all.map((one) => [one.service, whole(one.limit), one.inUse.toFixed(1), one.pss?.toFixed(1) ?? '']);
  const sums = sumsOf(all).map((one) => [
    `${one.name} (${one.containers})`,
    ...[whole(one.limit), one.inUse.toFixed(1), one.pss?.toFixed(1) ?? ''],
  ]);
  const head = ['limit', 'in use', 'PSS'];
  console.log(`${table([['container', ...head], ...rows])}\n\n${table([['in MiB', ...head], ...sums])}`);
}

async function main(): Promise<boolean> {
  const record = minutes > 0 ? await measureUnderLoad() : undefined;
  const all = record?.containers ?? (await usagesOf(docker, name));
  if (all.length === 0) throw new UserError(`nothing of the project ${name} runs: docker compose up -d --wait`);
  const total = meshSum(all);
  if (values.has('--json')) {
    console.log(JSON.stringify({ project: name, containers: all, sums: sumsOf(all), floorMib }, undefined, 2));
  } else {
    show(all);
    for (const [doing, seen] of Object.entries(record?.saw ?? {})) console.log(`  ${doing}: ${tallied(seen)}`);
    for (const line of record?.audit ?? []) console.log(`  ${line}`);
    console.log(`\n  the mesh without tools: ${total.inUse.toFixed(0)} MiB of at most ${floorMib}`);
  }
  if (record) {
    await keepMeasured('memory', record);
    await writeMeasuredPage();
  }
  return total.inUse <= floorMib && (record?.audit ?? []).length === 0;
}

try {
  process.exitCode = (await main()) ? 0 : 1;
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
