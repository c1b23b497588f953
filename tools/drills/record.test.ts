import { describe, expect, it } from 'vitest';
import { formatRecord, type DrillRecord } from './record.ts';
import { isPageFresh, reliabilityPage } from './table.ts';
import { words } from './words.ts';

const drill = { name: 'fire', proves: 'Everybody finds the door.' };
const record: DrillRecord = {
  drill: 'fire',
  proves: drill.proves,
  size: 'whole',
  seed: 1,
  startedAt: '2026-01-02T03:04:05.000Z',
  seconds: 90,
  commit: '0123456789abcdef',
  dirty: false,
  machine: { cores: 2, memoryGiB: 4, kernel: '6.1', node: '24.0.0', daprd: '1.18.1' },
  figures: { people: 1_200, slowestSeconds: 4.5 },
  rounds: [
    { round: 1, fault: 'smoke' },
    { round: 2, fault: 'dark' },
  ],
  violations: [],
};

describe('a record', () => {
  it('when it is written, is JSON that reads back, with a line for each round', () => {
    const text = formatRecord(record);
    expect(JSON.parse(text)).toEqual(record);
    expect(text).toContain('  "rounds": [\n    {"round":1,"fault":"smoke"},\n    {"round":2,"fault":"dark"}\n  ],\n');
  });
});

describe('the page of drills', () => {
  it('when a drill has a record, tells its figures and its verdict', () => {
    const [, row] = reliabilityPage([drill], new Map([['fire', record]])).split('| --- | --- | --- |\n');
    expect(row).toBe(
      '| `make drill-fire` | Everybody finds the door. | held: people 1,200, slowest seconds 4.5; 90 s ([record](records/fire.json), 2026-01-02, 0123456, 2 cores) |\n',
    );
  });

  it('when a run found something, says so; when there was none, has no figure', () => {
    const bad = { ...record, violations: ['I1 order 7: lost'] };
    expect(reliabilityPage([drill], new Map([['fire', bad]]))).toContain('| **1 violations**: people');
    expect(reliabilityPage([drill], new Map())).toContain('| no whole run is recorded |');
  });

  it('when drills or records have changed, has been made anew (node tools/drills/table.ts)', async () => {
    expect(await isPageFresh()).toBe(true);
  });
});

describe('words', () => {
  it('when a name is in camelCase, are apart', () => {
    expect(words('longestSecondsToDrain')).toBe('longest seconds to drain');
  });
});
