import { describe, expect, it } from 'vitest';
import { chaosPage, isPageFresh } from './page.ts';
import { formatRecord, merged, type MeasuredCell } from './record.ts';

const tally = { ok: 9, refused: 2, failed: {}, longest: 1.5 };
const crash: MeasuredCell = {
  ...{ service: 'redis', kind: 'redis', fault: 'crash', unfinished: 12, seconds: 3.2, heldBack: 0 },
  saw: { browse: tally, checkout: { ...tally, failed: { 429: 1 } }, orders: tally },
  ...{ probed: [], audit: [], problems: [] },
  ...{ at: '2026-01-02T03:04:05.000Z', commit: '0123456789abcdef', dirty: false },
  machine: { cores: 2, memoryGiB: 4, kernel: '6.1', node: '24.0.0', engine: '20.10' },
};
const cut: MeasuredCell = { ...crash, fault: 'cut', seconds: null, problems: ['not served within 60 s: an order'] };

describe('the record of chaos', () => {
  it('when a cell is measured again, has the newer one alone, and a line for each', () => {
    const again = { ...crash, seconds: 4 };
    const record = merged(merged({ cells: [] }, [cut, crash]), [again]);
    expect(record).toEqual({ cells: [again, cut] });
    expect(JSON.parse(formatRecord(record))).toEqual(record);
    expect(formatRecord(record).split('\n')).toHaveLength(7);
  });
});

describe('the page of chaos', () => {
  it('when a fault was overcome, has its seconds and what people saw', () => {
    const page = chaosPage({ cells: [crash] });
    expect(page).toContain('1 faults, all held; 2026-01-02, 0123456, 2 cores.');
    expect(page).toContain('| redis | 3.2 |  |  |  |  |  |  | 60 |');
    expect(page).toContain(
      '| redis | crash | 12 | 9 / 2 / 0, 1.5 s | 9 / 2 / 1 (429: 1), 1.5 s | 9 / 2 / 0, 1.5 s | clean |',
    );
    expect(page).not.toContain('did not hold');
  });

  it('when one was not, says so and why', () => {
    const page = chaosPage({ cells: [crash, cut] });
    expect(page).toContain('**1 did not hold**');
    expect(page).toContain('| redis | 3.2 |  |  |  | **never** |');
    expect(page).toContain('- redis, cut: not served within 60 s: an order');
  });

  it('when the record or the words have changed, has been made anew (node tools/chaos/page.ts)', async () => {
    expect(await isPageFresh()).toBe(true);
  });
});
