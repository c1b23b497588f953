import { readFileSync, readdirSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { repository } from '../mesh/home.ts';
import { promises, verdictOn } from './promises.ts';
import { readRecords, recordsFolder, writeRecord, type BenchRecord, type RecordedFigure } from './record.ts';
import { renderReport, writeReport } from './report.ts';

const figure = (key: string, median: number, unit = 'ms'): RecordedFigure => ({
  key,
  label: `figure ${key}`,
  unit,
  median,
  low: median * 0.9,
  high: median * 1.1,
  values: [median, median * 0.9, median * 1.1],
});

const recordOf = (id: string, figures: RecordedFigure[], more: Partial<BenchRecord['summary']> = {}): BenchRecord => ({
  id,
  date: '2026-01-02T03:04:05.000Z',
  commit: 'c0ffee'.padEnd(40, '0'),
  dirty: false,
  machine: { cpu: 'a CPU', cores: 2, memoryGiB: 24, kernel: '6.1' },
  versions: { node: '24.21.0' },
  arms: { ours: 'what is ours' },
  notes: ['a note'],
  rounds: [
    { pinned: true, steal: 0.001, control: 1.01, turns: [{ arm: 'ours', figures: { cpu: 1.5 } }] },
    { pinned: true, steal: 0.02, noise: 'steal 2.0 %', turns: [] },
    { pinned: true, steal: 0.001, void: '3 iterations were dropped', turns: [] },
    { pinned: true, steal: 0.002, turns: [] },
  ],
  summary: { figures, ...more },
});

const p3 = (p50: number, p90: number, p99: number) =>
  recordOf('p3', [figure('addedP50', p50), figure('addedP90', p90), figure('addedP99', p99)], {
    latencies: [{ group: 'pinned', arm: 'D <direct>', p50: 0.7, p90: 0.8, p99: 5 }],
    parts: { label: 'CPU by process', unit: 'µs', bars: [{ arm: 'D', parts: [{ name: 'app & co', value: 250 }] }] },
  });

describe('verdictOn', () => {
  const [promise] = promises.filter(({ id }) => id === 'p3');
  if (!promise) throw new Error('there is no P3');

  it('when figures keep goal, floor or neither, it says so', () => {
    expect(verdictOn(promise, p3(0.9, 1, 2).summary.figures)).toBe('met');
    expect(verdictOn(promise, p3(0.91, 1, 2).summary.figures)).toBe('floor met');
    expect(verdictOn(promise, p3(0.9, 2.01, 2).summary.figures)).toBe('missed');
  });

  it('when a figure that the promise is about is missing, it throws', () => {
    expect(() => verdictOn(promise, [])).toThrow('addedP50');
  });
});

describe('renderReport', () => {
  it('when nothing is measured, it says that of every promise and has no picture', () => {
    const { page, pictures } = renderReport(new Map());
    for (const { id } of promises) expect(page).toContain(`Not measured yet: \`make bench only=${id}\``);
    expect(page).not.toMatch(/undefined|NaN/);
    expect(pictures.size).toBe(0);
  });

  it('when every round of a record is void, its promise is as good as not measured', () => {
    const { rounds, ...rest } = p3(0.8, 1.5, 1.9);
    const { page } = renderReport(new Map([['p3', { ...rest, rounds: rounds.filter((round) => round.void) }]]));
    expect(page).toContain('Not measured yet: `make bench only=p3`');
  });

  it('when some are measured, their figures, verdicts, noisy and void rounds and pictures are in it, and the others say so', () => {
    const { page, pictures } = renderReport(new Map([['p3', p3(0.8, 1.5, 1.9)]]));
    expect(page).toContain('| figure addedP50 0.8 ms (0.72 to 0.88); figure addedP90 1.5 ms (1.35 to 1.65)');
    expect(page).toContain('**floor met** |');
    expect(page).toContain(
      'Of 4 rounds, 1 noisy (steal 2.0 %) and 1 void (3 iterations were dropped); the others count.',
    );
    expect(page).toContain('Not measured yet: `make bench only=p1`');
    expect([...pictures.keys()]).toEqual(['p3.svg', 'p3-latency.svg', 'p3-parts.svg']);
    for (const [name, drawing] of pictures) {
      expect(page).toContain(`(performance/${name})`);
      expect(drawing).toContain('prefers-color-scheme: dark');
      expect(drawing).not.toMatch(/undefined|NaN|Infinity|<direct>|app & co/);
    }
  });

  it('when over a third of the whole rounds were noisy, the verdict says so wherever it stands', () => {
    const { rounds, ...rest } = p3(0.8, 1.5, 1.9);
    const { page } = renderReport(new Map([['p3', { ...rest, rounds: rounds.slice(0, 2) }]]));
    expect(page.match(/\*\*floor met\*\*, under noise/g)).toHaveLength(2);
    expect(page).toContain('as noise was the rule, the noisy ones count.');
  });

  it('when a link leads to a section, there is one of that name', () => {
    const { page } = renderReport(new Map([['p3', p3(1, 1, 1)]]));
    const names = [...page.matchAll(/^## (.*)$/gm)].map(([, title = '']) =>
      title
        .toLowerCase()
        .replace(/[^\w -]/g, '')
        .replaceAll(' ', '-'),
    );
    for (const [, anchor] of page.matchAll(/\]\(#([^)]*)\)/g)) expect(names).toContain(anchor);
  });
});

describe('records and report as files', () => {
  it('when a record is written and read, it is the same; a picture of a former report goes', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sidecart-report-'));
    try {
      const record = p3(0.8, 1.5, 1.9);
      writeRecord(folder, record);
      expect(readRecords(folder)).toEqual(new Map([['p3', record]]));
      writeReport(folder, renderReport(readRecords(folder)));
      writeReport(folder, renderReport(new Map([['p1', recordOf('p1', [figure('sdkOverOurs', 5, 'x')])]])));
      expect(readdirSync(join(folder, 'performance'))).toEqual(['p1.svg']);
      expect(await readFile(join(folder, 'performance.md'), 'utf8')).toContain('**met**');
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('docs/performance.md', () => {
  it('when it differs from what the records say, `make bench-report` has to be run', () => {
    const docs = join(repository, 'docs');
    const { page, pictures } = renderReport(readRecords(recordsFolder));
    expect(readFileSync(join(docs, 'performance.md'), 'utf8')).toBe(page);
    for (const [name, drawing] of pictures) expect(readFileSync(join(docs, 'performance', name), 'utf8')).toBe(drawing);
  });
});
