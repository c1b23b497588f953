import type { Bound } from './promises.ts';

const width = 760;
const left = 210;
const right = 60;
const plotWidth = width - left - right;
const rowHeight = 46;

// Colours that both themes can show; text and lines follow the reader's.
const style = `
  text { font: 13px system-ui, sans-serif; fill: #24292f } .dim { fill: #57606a; font-size: 11px }
  .line { stroke: #8c959f } .thick { stroke: #0969da; stroke-width: 7; stroke-linecap: round; opacity: .45 }
  .median { fill: #0969da } .round { fill: #57606a; opacity: .5 } .floor { stroke: #bc4c00; stroke-dasharray: 4 3 } .goal { stroke: #1a7f37 }
  .t-floor { fill: #bc4c00 } .t-goal { fill: #1a7f37 }
  .c0 { fill: #0969da } .c1 { fill: #bf8700 } .c2 { fill: #8250df } .c3 { fill: #1a7f37 } .c4 { fill: #cf222e } .c5 { fill: #6e7781 } .c6 { fill: #1b7c83 } .c7 { fill: #bf3989 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } .dim { fill: #9198a1 } .line { stroke: #656c76 } .thick { stroke: #4493f8 } .median { fill: #4493f8 } .round { fill: #9198a1 }
    .floor { stroke: #f0883e } .goal { stroke: #3fb950 } .t-floor { fill: #f0883e } .t-goal { fill: #3fb950 }
    .c0 { fill: #4493f8 } .c1 { fill: #d29922 } .c2 { fill: #ab7df8 } .c3 { fill: #3fb950 } .c4 { fill: #f85149 } .c5 { fill: #9198a1 } .c6 { fill: #39c5cf } .c7 { fill: #db61a2 }
  }`;

/** A text as XML has it. */
export const escape = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
const round = (value: number) => String(Math.round(value * 10) / 10);

function picture(title: string, height: number, parts: readonly string[]): string {
  const frame = `xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img"`;
  return `<svg ${frame}>\n<title>${escape(title)}</title>\n<style>${style}\n</style>\n${parts.join('\n')}\n</svg>\n`;
}

/** Words at a place. */
export const text = (x: number, y: number, words: string, kind = '', anchor = 'start') =>
  `<text x="${round(x)}" y="${round(y)}" class="${kind}" text-anchor="${anchor}">${escape(words)}</text>`;
/** A line between two places. */
export const line = (x1: number, y1: number, x2: number, y2: number, kind: string) =>
  `<line x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}" class="${kind}"/>`;
const dot = (x: number, y: number, size: number, kind: string) =>
  `<circle cx="${round(x)}" cy="${round(y)}" r="${size}" class="${kind}"/>`;

/** At most three digits that matter. */
export function short(value: number): string {
  if (value === 0) return '0';
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toLocaleString('en-US', { maximumFractionDigits: Math.min(digits, 3) });
}

/** One figure: every round a dot, the interval a bar, the median a large dot; floor and goal as lines. */
export interface Strip {
  readonly label: string;
  readonly unit: string;
  readonly median: number;
  readonly low: number;
  readonly high: number;
  readonly values: readonly number[];
  readonly floor?: Bound | undefined;
  readonly goal?: Bound | undefined;
}

/** Figures below one another, each on a scale of its own that begins at zero. */
export function drawStrips(title: string, strips: readonly Strip[]): string {
  const rows = strips.flatMap((strip, index) => {
    const y = 24 + index * rowHeight;
    const bounds = { floor: boundOf(strip.floor), goal: boundOf(strip.goal) };
    const all = [...strip.values, strip.high, bounds.floor ?? 0, bounds.goal ?? 0];
    const [least, most] = [Math.min(0, ...all, strip.low), Math.max(...all) * 1.1 || 1];
    const x = (value: number) => left + ((value - least) / (most - least)) * plotWidth;
    const mark = (name: 'floor' | 'goal') => {
      const at = bounds[name];
      if (at === undefined) return [];
      const label = text(x(at), y - 11, `${name} ${short(at)}`, `dim t-${name}`, 'middle');
      return [line(x(at), y - 8, x(at), y + 10, name), label];
    };
    return [
      text(left - 12, y + 4, strip.label, '', 'end'),
      line(left, y, width - right, y, 'line'),
      line(x(strip.low), y, x(strip.high), y, 'thick'),
      ...strip.values.map((value) => dot(x(value), y, 3, 'round')),
      dot(x(strip.median), y, 5, 'median'),
      ...mark('floor'),
      ...mark('goal'),
      text(x(strip.median), y + 20, `${short(strip.median)} ${strip.unit}`, 'dim', 'middle'),
      text(left, y + 20, short(least), 'dim', 'middle'),
    ];
  });
  return picture(title, 24 + strips.length * rowHeight, rows);
}

const boundOf = (bound: Bound | undefined) => bound?.atMost ?? bound?.atLeast;

/** Three percentiles of one arm, in milliseconds. */
export interface Ladder {
  readonly label: string;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
}

/** Percentiles of several arms on one logarithmic scale. */
export function drawLadders(title: string, ladders: readonly Ladder[]): string {
  const all = ladders.flatMap(({ p50, p99 }) => [p50, p99]).filter((value) => value > 0);
  const least = Math.floor(Math.log10(Math.min(...all)));
  const most = Math.max(least + 1, Math.ceil(Math.log10(Math.max(...all))));
  const x = (value: number) => left + ((Math.log10(value) - least) / (most - least)) * plotWidth;
  const bottom = 16 + ladders.length * 30;
  const scale = Array.from({ length: most - least + 1 }, (_, index) => 10 ** (least + index));
  const parts = [
    ...scale.flatMap((at) => [
      line(x(at), 6, x(at), bottom, 'line'),
      text(x(at), bottom + 15, `${short(at)} ms`, 'dim', 'middle'),
    ]),
    ...ladders.flatMap(({ label, ...shares }, index) => {
      const y = 20 + index * 30;
      return [
        text(left - 12, y + 4, label, '', 'end'),
        line(x(shares.p50), y, x(shares.p99), y, 'thick'),
        dot(x(shares.p50), y, 5, 'c0'),
        dot(x(shares.p90), y, 5, 'c1'),
        dot(x(shares.p99), y, 5, 'c4'),
      ];
    }),
    ...(['p50', 'p90', 'p99'] as const).flatMap((name, index) => [
      dot(left + index * 60, bottom + 30, 5, ['c0', 'c1', 'c4'][index] ?? ''),
      text(left + index * 60 + 9, bottom + 34, name, 'dim'),
    ]),
  ];
  return picture(title, bottom + 42, parts);
}

/** One bar and what it is made of. */
export interface Bar {
  readonly label: string;
  readonly parts: readonly { readonly name: string; readonly value: number }[];
}

/** Stacked bars on one scale, the same name in the same colour. */
export function drawBars(title: string, unit: string, bars: readonly Bar[]): string {
  const names = [...new Set(bars.flatMap(({ parts }) => parts.map(({ name }) => name)))];
  const sum = ({ parts }: Bar) => parts.reduce((total, { value }) => total + value, 0);
  const most = Math.max(...bars.map(sum)) || 1;
  const x = (value: number) => left + (value / most) * plotWidth;
  const bottom = 10 + bars.length * 32;
  const legendColumns = 5;
  const parts = [
    ...bars.flatMap((bar, index) => {
      const y = 8 + index * 32;
      let at = 0;
      const boxes = bar.parts.map(({ name, value }) => {
        const from = x(at);
        at += value;
        const size = `x="${round(from)}" y="${y}" width="${round(x(at) - from)}" height="22"`;
        return `<rect ${size} class="c${names.indexOf(name) % 8}"><title>${escape(name)} ${short(value)} ${escape(unit)}</title></rect>`;
      });
      return [text(left - 12, y + 16, bar.label, '', 'end'), ...boxes, text(x(at) + 6, y + 16, short(at), 'dim')];
    }),
    ...names.flatMap((name, index) => {
      const [column, row] = [index % legendColumns, Math.floor(index / legendColumns)];
      const [from, y] = [20 + column * 145, bottom + 12 + row * 20];
      return [
        `<rect x="${from}" y="${y - 9}" width="11" height="11" class="c${index % 8}"/>`,
        text(from + 16, y, name, 'dim'),
      ];
    }),
  ];
  return picture(title, bottom + 12 + Math.ceil(names.length / legendColumns) * 20, parts);
}
