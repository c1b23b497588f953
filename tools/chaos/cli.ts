// Pulls the running mesh in containers apart: node tools/chaos/cli.ts [only=orders,redis] [faults=crash,pause] [share=1] [project=…] [record=1]
import { causeOf } from '../../services/_chassis/errors.ts';
import { styled, table } from '../mesh/terminal.ts';
import { UserError } from '../mesh/user-error.ts';
import { createProgressLine } from '../progress-line.ts';
import { readMachine, readTree } from '../surroundings.ts';
import { writePage } from './page.ts';
import { holds, keep, type MeasuredCell } from './record.ts';
import { openChaos, plan, share } from './run.ts';
import { doings, tallied } from './seen.ts';

const values = new Map(process.argv.slice(2).map((arg) => [arg.split('=')[0], arg.slice(arg.indexOf('=') + 1)]));
const listed = (name: string) => (values.get(name) ?? '').split(',').filter(Boolean);

function show(cells: readonly MeasuredCell[]): void {
  const rows = cells.map((cell) => [
    cell.service,
    cell.fault,
    cell.seconds === null ? 'never' : `${cell.seconds.toFixed(1)} s`,
    ...doings.map((doing) => `${tallied(cell.saw[doing])}, ${cell.saw[doing].longest} s`),
    holds(cell) ? 'held' : 'NOT',
  ]);
  console.log(`\n${table([['container', 'fault', 'served', ...doings, ''], ...rows])}\n`);
  console.log('  browse, checkout, orders: answered / refused / failed, the longest\n');
}

async function main(): Promise<number> {
  const chaos = await openChaos(values.get('project') || undefined);
  const cells: MeasuredCell[] = [];
  const progress = createProgressLine(process.stderr);
  let closing: Promise<void> | undefined;
  const close = () => (closing ??= chaos.close());
  const interrupt = () => {
    progress.clear();
    console.error('interrupted: taking back what was done');
    void close().finally(() => process.exit(130));
  };
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  try {
    const surroundings = {
      ...readTree(),
      machine: { ...readMachine(), node: process.versions.node, engine: chaos.engine },
    };
    const wanted = values.get('share') === '1' ? share : { only: listed('only'), faults: listed('faults') };
    const planned = plan(chaos.project.core, wanted);
    const isWhole = planned.length === plan(chaos.project.core, { only: [], faults: [] }).length;
    const isKept = isWhole || values.get('record') === '1';
    for (const [n, { member, fault }] of planned.entries()) {
      const name = `${n + 1} of ${planned.length}  ${member.service}, ${fault}`;
      const at = new Date().toISOString();
      const cell = await chaos.run(member, fault, (text) => progress.show(`  ${name}: ${text}`));
      cells.push({ ...cell, at, ...surroundings });
      progress.clear();
      const verdict = holds(cell) ? styled('green', 'held') : styled('red', 'NOT ');
      console.log(
        `  ${verdict}  ${name}: ${cell.seconds === null ? 'not served again' : `${cell.seconds.toFixed(1)} s`}`,
      );
      for (const line of [...cell.problems, ...cell.audit]) console.log(`          ${styled('red', line)}`);
      // It may be an hour until the last.
      if (isKept) await keep(cells.slice(-1));
    }
    show(cells);
    if (isKept) await writePage();
    return cells.every(holds) ? 0 : 1;
  } finally {
    await close();
  }
}

try {
  process.exit(await main());
} catch (error) {
  console.error(error instanceof UserError ? error.message : `chaos: ${causeOf(error)}`);
  process.exit(1);
}
