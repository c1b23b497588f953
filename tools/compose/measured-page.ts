// Writes docs/containers.md anew from its records: node tools/compose/measured-page.ts
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { markdownTable } from '../markdown-table.ts';
import { repository } from '../mesh/home.ts';
import { tallied } from '../chaos/seen.ts';
import { readMeasured, type ColdStarts, type MemoryRecord } from './measured.ts';
import { floorMib, meshSum, sumsOf } from './memory.ts';

const file = join(repository, 'docs', 'containers.md');

/** The page that tells what the mesh in containers takes, of time and of memory; every figure on it is out of a record. */
export function measuredPage(starts: ColdStarts, memory: MemoryRecord): string {
  const whole = starts.rounds.filter(({ restarted }) => restarted.length === 0).length;
  const total = meshSum(memory.containers);
  const { browse, checkout, orders } = memory.saw;
  return `# The mesh in containers, measured

Made of its records (\`node tools/compose/measured-page.ts\`). What it does when it is pulled apart: [chaos](chaos.md).

## A start from nothing

\`make compose-cold\` drops data and secrets and starts the mesh anew: ${whole} of ${starts.rounds.length} were whole with no container
started twice ([record](records/containers/cold-starts.json): ${whereAndWhen(starts)}).

${markdownTable(
  ['round', 'healthy after', 'first order shipped after', 'started twice'],
  starts.rounds.map(({ healthySeconds, shippedSeconds, restarted }, n) => [
    ...[`${n + 1}`, `${healthySeconds.toFixed(1)} s`, `${shippedSeconds.toFixed(1)} s`],
    restarted.join(', ') || 'none',
  ]),
)}

## Memory

\`make compose-memory minutes=${memory.minutes}\` lets two people browse and place orders for so long (10 reads and 5 orders a second) and
measures while they still do: the mesh without its tools takes ${mib(total.inUse)} MiB of at most
${mib(floorMib)}${total.pss === undefined ? '' : ` (${mib(total.pss)} MiB as PSS)`}
([record](records/containers/memory.json): ${whereAndWhen(memory)}). *In use* is what the kernel counts for a container but for files that it
could drop; *PSS* is the sum over its processes, each page divided by who shares it.

Answered / refused / failed: browsing ${tallied(browse)}, placing orders ${tallied(checkout)}, looking at orders ${tallied(orders)};
the audit after it is ${memory.audit.length === 0 ? 'clean' : `**not clean: ${memory.audit.length}**`}.

${markdownTable(
  ['in MiB', 'containers', 'in use', 'PSS', 'limit'],
  sumsOf(memory.containers).map((sum) => [
    ...[sum.name, `${sum.containers}`, sum.inUse.toFixed(1), sum.pss?.toFixed(1) ?? '', mib(sum.limit)],
  ]),
)}

${markdownTable(
  ['container', 'in use', 'PSS', 'limit'],
  memory.containers.map(({ service, inUse, pss, limit }) => [
    ...[service, inUse.toFixed(1), pss?.toFixed(1) ?? '', mib(limit)],
  ]),
)}
`;
}

const mib = (value: number) => Math.round(value).toLocaleString('en');

const whereAndWhen = ({ at, tree, machine }: Pick<ColdStarts, 'at' | 'tree' | 'machine'>) =>
  `${at.slice(0, 10)}, ${tree.commit.slice(0, 7)}${tree.dirty ? ' and changes' : ''}, ${machine.cores} cores`;

const pageOfRecords = async () => measuredPage(await readMeasured('cold-starts'), await readMeasured('memory'));

/** Whether the page says what its records say. */
export const isMeasuredPageFresh = async (): Promise<boolean> =>
  (await readFile(file, 'utf8').catch(() => '')) === (await pageOfRecords());

/** Writes the page anew. */
export const writeMeasuredPage = async (): Promise<void> => writeFile(file, await pageOfRecords());

if (import.meta.main) await writeMeasuredPage();
