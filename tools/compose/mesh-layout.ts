import { endingOf, networksOf, type ComposeFile, type ComposeService } from './compose-file.ts';
import { tripleOf } from './pod.ts';

/** A container, or a pod of three, and where it is drawn. */
export interface Box {
  readonly name: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly container: ComposeService;
  /** App and sidecar, where it is a pod. */
  readonly inside: readonly ComposeService[];
  readonly ends: boolean;
}

/** A network: boxes inside of it are on it. One that has two separate places is drawn twice. */
export interface Area {
  readonly network: string;
  readonly internal: boolean;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly boxes: readonly Box[];
  readonly areas: readonly Area[];
}

/** The networks of the rows, from the way in to the data; neighbours share one, so that most networks are one area. */
const rows = ['frontend', 'backend frontend', 'backend', 'backend database', 'database', 'database frontend', ''];
const stacked = ['frontend', 'backend', 'database'];
// People's own: a column beside the rows, which crosses the networks that its containers look into.
const column = 'monitoring';

const width = 1000;
const perLine = 4;
const box = { width: 160, gap: 12, x: 56 };
const heights = { pod: 82, container: 70 };
const top = 74;
const between = 40;
const columnX = 788;
const columnWidth = 172;

interface Item {
  readonly name: string;
  readonly row: string;
  readonly inColumn: boolean;
  readonly container: ComposeService;
  readonly inside: readonly ComposeService[];
}

function itemsOf({ services }: ComposeFile): Item[] {
  const joins = (pod: string) => Object.entries(services).filter(([, one]) => one.network_mode === `service:${pod}`);
  return Object.entries(services).flatMap(([name, container]) => {
    if (container.network_mode?.startsWith('service:')) return [];
    const networks = networksOf(container);
    const row = networks.filter((network) => network !== column).toSorted();
    const inside = joins(name).map(([, one]) => one);
    const shown = inside.length > 0 ? name.slice(0, -tripleOf('').pod.length) : name;
    return [{ name: shown, row: row.join(' '), inColumn: networks.includes(column), container, inside }];
  });
}

/** Where everything is drawn; a container on networks that no row has is refused by its name. */
export function layoutOf(file: ComposeFile): Layout {
  const items = itemsOf(file);
  const lost = items.find(({ row }) => !rows.includes(row));
  if (lost) throw new Error(`the picture has no row for the networks of ${lost.name}: ${lost.row}`);
  const ending = endingOf(file);
  const boxes: Box[] = [];
  const spans: { row: string; from: number; to: number; inColumn: boolean }[] = [];
  let y = top;
  for (const row of rows) {
    const here = items.filter((item) => item.row === row);
    if (here.length === 0) continue;
    const put = (list: readonly Item[], columns: number, x: number, size: number) => {
      const height = heights[list.some(({ inside }) => inside.length > 0) ? 'pod' : 'container'];
      for (const [index, { name, container, inside }] of list.entries()) {
        const line = Math.floor(index / columns);
        const inLine = Math.min(columns, list.length - line * columns);
        // In the middle of its line.
        const left = x + ((columns - inLine) * (size + box.gap)) / 2;
        const at = { x: left + (index % columns) * (size + box.gap), y: y + line * (height + box.gap) };
        boxes.push({ name, ...at, width: size, height, container, inside, ends: ending.has(name) });
      }
      const lines = Math.ceil(list.length / columns);
      return lines * (height + box.gap) - box.gap;
    };
    const tools = here.filter(({ inColumn }) => inColumn);
    const rest = here.filter(({ inColumn }) => !inColumn);
    const height = Math.max(put(rest, perLine, box.x, box.width), put(tools, 1, columnX, columnWidth));
    spans.push({ row, from: y, to: y + height, inColumn: tools.length > 0 });
    y += height + between;
  }

  const internal = (network: string) => file.networks[network]?.internal === true;
  const areas = stacked.flatMap((network, depth) => {
    const isIn = spans.map(({ row }) => row.split(' ').includes(network));
    const starts = isIn.flatMap((here, index) => (here && !isIn[index - 1] ? [index] : []));
    return starts.flatMap((start) => {
      const length = isIn.slice(start).indexOf(false);
      const run = spans.slice(start, length < 0 ? undefined : start + length);
      const [first, last] = [run[0], run.at(-1)];
      if (!first || !last) return [];
      const x = 16 + depth * 10;
      const right = run.some(({ inColumn }) => inColumn) ? width - 16 - depth * 4 : 756 - depth * 6;
      const [from, to] = [first.from - 26, last.to + 12 - depth * 3];
      return [{ network, internal: internal(network), x, y: from, width: right - x, height: to - from }];
    });
  });
  const crossed = spans.filter(({ inColumn }) => inColumn);
  const [first, last] = [crossed[0], crossed.at(-1)];
  if (first && last) {
    const area = { x: columnX - 12, y: first.from - 46, width: columnWidth + 24, height: last.to - first.from + 60 };
    areas.push({ network: column, internal: internal(column), ...area });
  }
  return { width, height: y + 44, boxes, areas };
}
