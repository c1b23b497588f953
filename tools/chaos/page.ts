// Writes docs/chaos.md anew from its record: node tools/chaos/page.ts
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { kindOf } from '../compose/containers.ts';
import { markdownTable } from '../markdown-table.ts';
import { repository } from '../mesh/home.ts';
import { askedWhileGone, statedFor } from './degraded.ts';
import { faultNames, faults, hasNetwork } from './faults.ts';
import { ownerOf } from './project.ts';
import { holds, readRecord, type ChaosRecord, type MeasuredCell } from './record.ts';
import { limits } from './recovery.ts';
import { doings, tallied, type Tally } from './seen.ts';

const file = join(repository, 'docs', 'chaos.md');

/** The page that tells what each fault did; every figure on it is out of the record. */
export function chaosPage({ cells }: ChaosRecord): string {
  const services = [...new Set(cells.map(({ service }) => service))];
  const owners = [...new Set(services.map(ownerOf))];
  const failed = cells.filter((cell) => !holds(cell));
  return `# Chaos

\`make chaos\` pulls the mesh in containers apart, one fault at a time, while two people browse and place orders (10 reads and 5
orders a second, some of them with a card that takes the bank 8 s). At least 10 orders are on their way when a fault strikes. After
each, all orders have to end and the audit of all books has to be clean. This page is made of the
[record](records/containers/chaos.json) (\`node tools/chaos/page.ts\`): ${summary(cells, failed)}

${markdownTable(
  ['fault', 'what is done'],
  faultNames.map((name) => [name, faults[name].says]),
)}

## Seconds until all is served again

Counted from the fault, or where it lasts from its end, until each kind of read is answered three times in a row, a person has signed
in, and an order placed after it is shipped. Nobody helps, except that what was killed or stopped is started. *Limit*: what takes
longer has failed. An app and its sidecar have no network of their own: what is cut is the pod's.

${markdownTable(
  ['container', ...faultNames, 'limit'],
  services.map((service) => [
    service,
    ...faultNames.map((name) =>
      secondsOf(
        cells.find((cell) => cell.service === service && cell.fault === name),
        service,
        name,
      ),
    ),
    `${limits[kindOf(service)]}`,
  ]),
)}
${failed.length === 0 ? '' : `\nWhat did not hold:\n\n${failed.map((cell) => failure(cell)).join('\n')}\n`}
## While one is gone

Whichever of a service's three containers was killed or stopped. *refused*: 503 as problem+json, with \`Retry-After\`; *either*: one of
the two. *silent*: nobody listens. Orders that are placed while a worker is gone wait for it.

${markdownTable(
  ['gone', ...askedWhileGone],
  owners.map((owner) => [owner, ...askedWhileGone.map((asked) => statedFor(owner)[asked])]),
)}

## What people saw

From the strike until all was served again, each try counted by itself: answered / refused with \`Retry-After\` / failed (by its status:
another 5xx or 429; *none*: a broken connection, or no answer within 10 s), and the longest that one took.

${markdownTable(
  ['container', 'fault', 'unfinished', 'browsing', 'placing orders', 'looking at orders', 'audit'],
  cells.map((cell) => [
    cell.service,
    cell.fault,
    `${cell.unfinished}`,
    ...doings.map((doing) => told(cell.saw[doing])),
    cell.audit.length === 0 ? 'clean' : `**${cell.audit.length} violations**`,
  ]),
)}
`;
}

function summary(cells: readonly MeasuredCell[], failed: readonly MeasuredCell[]): string {
  const [first] = cells;
  if (!first) return 'nothing is recorded.';
  const commits = [...new Set(cells.map(({ commit, dirty }) => `${commit.slice(0, 7)}${dirty ? ' and changes' : ''}`))];
  const days = cells.map(({ at }) => at.slice(0, 10)).sort();
  const verdict = failed.length === 0 ? 'all held' : `**${failed.length} did not hold**`;
  const when = [...new Set([days[0], days.at(-1)])].join(' to ');
  return `${cells.length} faults, ${verdict}; ${when}, ${commits.join(', ')}, ${first.machine.cores} cores.`;
}

function secondsOf(cell: MeasuredCell | undefined, service: string, fault: string): string {
  if (!cell) return fault === 'cut' && !hasNetwork(kindOf(service)) ? 'the pod’s' : '';
  const seconds = cell.seconds === null ? 'never' : cell.seconds.toFixed(1);
  return holds(cell) ? seconds : `**${seconds}**`;
}

const failure = ({ service, fault, audit, problems }: MeasuredCell) =>
  `- ${service}, ${fault}: ${[...problems, ...audit].join('; ').replaceAll(/\s+/g, ' ')}`;

const told = (tally: Tally) => `${tallied(tally)}, ${tally.longest.toFixed(1)} s`;

/** Whether the page says what the record says. */
export const isPageFresh = async (): Promise<boolean> =>
  (await readFile(file, 'utf8').catch(() => '')) === chaosPage(await readRecord());

/** Writes the page anew. */
export const writePage = async (): Promise<void> => writeFile(file, chaosPage(await readRecord()));

if (import.meta.main) await writePage();
