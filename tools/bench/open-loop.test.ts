import { describe, expect, it } from 'vitest';
import { latenciesOf, parsePoints, preciseTime } from './open-loop.ts';

const line = (metric: string, tags: Record<string, string>, value: number, time = '2026-01-01T00:00:01.0005+00:00') =>
  JSON.stringify({ metric, type: 'Point', data: { time, value, tags } });

describe('preciseTime', () => {
  it('when a stamp has nanoseconds and a zone, they are all in it', () => {
    expect(preciseTime('2026-01-01T01:00:00.001234567+01:00') - Date.UTC(2026, 0, 1)).toBeCloseTo(1.234567, 3);
    expect(preciseTime('2026-01-01T00:00:00Z')).toBe(Date.UTC(2026, 0, 1));
  });
});

describe('parsePoints', () => {
  it('when other scenarios and metrics are in the output, only requests and drops of the load are counted', () => {
    const output = [
      '{"type":"Metric","metric":"http_req_duration","data":{"type":"trend"}}',
      line('http_req_duration', { scenario: 'load', number: '7', status: '200' }, 2.5),
      line('http_req_duration', { scenario: 'warm', status: '200' }, 9),
      line('http_req_waiting', { scenario: 'load', number: '7', status: '200' }, 2),
      line('dropped_iterations', { scenario: 'load' }, 3),
      '',
    ].join('\n');
    const { sent, dropped } = parsePoints(output);
    expect(sent).toEqual([{ number: 7, end: Date.UTC(2026, 0, 1) + 1_000.5, duration: 2.5, status: '200' }]);
    expect(dropped).toBe(3);
  });
});

describe('latenciesOf', () => {
  it('when a request starts late because another one held it up, its latency counts from when it was due', () => {
    const sent = [
      { number: 0, end: 1_002, duration: 2, status: '200' },
      { number: 1, end: 1_052, duration: 42, status: '200' },
      { number: 2, end: 1_055, duration: 3, status: '200' }, // due at 1,020, started at 1,052
    ];
    expect(latenciesOf(sent, 100)).toEqual([2, 42, 35]);
  });
});
