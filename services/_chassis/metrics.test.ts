import { describe, expect, it } from 'vitest';
import { createMetrics, gaugeByState } from './metrics.ts';

describe('a gauge by state', () => {
  const start = () => {
    const metrics = createMetrics('things');
    let found: { state: string; count: number }[] | undefined = [{ state: 'new', count: 2 }];
    gaugeByState(metrics, {
      name: 'things_count',
      help: 'Things by state',
      count: async () => found ?? Promise.reject(new Error('the database is away')),
    });
    const set = (now: typeof found) => void (found = now);
    return { set, text: () => metrics.registry.metrics() };
  };

  it('when somebody looks, it is counted; a state that is empty now is gone', async () => {
    const { set, text } = start();
    expect(await text()).toContain('things_count{state="new",service="things"} 2');
    set([{ state: 'old', count: 1 }]);
    expect(await text()).not.toContain('state="new"');
  });

  it('when the count cannot be had, there is none, and the other metrics are shown all the same', async () => {
    const { set, text } = start();
    await text();
    set(undefined);
    expect(await text()).toContain('sidecart_inbox_failed_count');
    expect(await text()).not.toContain('state="new"');
  });
});
