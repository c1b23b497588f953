import { describe, expect, it } from 'vitest';
import type { ColdStarts, MemoryRecord } from './measured.ts';
import { isMeasuredPageFresh, measuredPage } from './measured-page.ts';

const around = {
  tree: { commit: '0123456789abcdef', dirty: false },
  machine: { cores: 2, memoryGiB: 4, kernel: '6.1' },
  at: '2026-01-02T03:04:05.000Z',
};
const starts: ColdStarts = {
  ...around,
  rounds: [
    { healthySeconds: 21, shippedSeconds: 23.7, restarted: [] },
    { healthySeconds: 30, shippedSeconds: 33, restarted: ['orders'] },
  ],
};
const seen = { ok: 9, refused: 1, failed: {}, longest: 1 };
const memory: MemoryRecord = {
  ...{ ...around, minutes: 10, saw: { browse: seen, checkout: seen, orders: seen }, audit: [] },
  containers: [
    { service: 'orders', kind: 'app', limit: 256, inUse: 80.5, pss: 90 },
    { service: 'orders-pod', kind: 'pod', limit: 16, inUse: 0.5, pss: 1 },
    { service: 'zipkin', kind: 'tool', limit: 512, inUse: 300, pss: 300 },
  ],
};

describe('the page of what was measured in containers', () => {
  it('when a container was started twice, counts that start as not whole', () => {
    const page = measuredPage(starts, memory);
    expect(page).toContain('1 of 2 were whole');
    expect(page).toContain('| 2 | 30.0 s | 33.0 s | orders |');
  });

  it('when tools run beside, leaves them out of the mesh', () => {
    const page = measuredPage(starts, memory);
    expect(page).toContain('takes 81 MiB of at most\n1,400 (91 MiB as PSS)');
    expect(page).toContain('| the mesh | 2 | 81.0 | 91.0 | 272 |');
    expect(page).toContain('| zipkin | 300.0 | 300.0 | 512 |');
  });

  it('when a record or the words have changed, has been made anew (node tools/compose/measured-page.ts)', async () => {
    expect(await isMeasuredPageFresh()).toBe(true);
  });
});
