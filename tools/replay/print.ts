import { shown } from '../audit/orders.ts';
import { table } from '../mesh/terminal.ts';
import type { Difference } from './compare.ts';
import type { Rebuilt } from './rebuild.ts';

/** The read models as a table, then how those differ that do. */
export function printRebuilt(rebuilt: readonly Rebuilt[]): string {
  const head = ['READ MODEL', 'EVENTS', 'ROWS', 'DIFFERING', 'SECONDS', 'LOCKED', ''];
  const rows = rebuilt.map((one) => [
    `${one.service}.${one.table}`,
    String(one.events),
    String(one.rows),
    String(one.differing),
    one.seconds.toFixed(1),
    `${one.lockedMs} ms`,
    one.swapped ? 'swapped' : 'NOT SWAPPED',
  ]);
  const details = rebuilt.filter(({ differing }) => differing > 0).flatMap(describe);
  return [table([head, ...rows]), ...details].join('\n');
}

function describe({ service, table: name, differing, differences, swapped }: Rebuilt): string[] {
  const more = differing - differences.length;
  return [
    '',
    `${service}.${name} ${swapped ? 'differed' : 'differs'} from its events in ${differing} ${differing === 1 ? 'row' : 'rows'}:`,
    ...differences.flatMap(lines),
    ...(more > 0 ? [`  ... and ${more} more`] : []),
    swapped
      ? 'It is now what its events make it.'
      : `It is as it was. If its projection was changed, or its rows damaged: \`make replay service=${service} swap=1\` takes what its events make.`,
  ];
}

function lines({ key, kind, columns }: Difference): string[] {
  const name = Object.values(key).join('/');
  if (kind === 'missing') return [`  ${name}: its events make a row, and there is none`];
  if (kind === 'groundless') return [`  ${name}: there is a row, and no event of it`];
  return columns.map((one) => `  ${name}: ${one.name} is ${shown(one.has)}, its events make it ${shown(one.replayed)}`);
}
