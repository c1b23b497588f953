import { describe, expect, it } from 'vitest';
import { cpuOf, cpuOfTree, parseMachineTime, parseStat, pssOfTree, stealBetween, treeOf } from './cpu.ts';

const stat = '4711 (a (odd) name) S 17 4711 4711 0 -1 4194560 2 0 0 0 250 50 30 20 20 0 11 0 98765 1 2 3';

describe('parseStat', () => {
  it('when a name holds parentheses and spaces, the fields behind it are still found', () => {
    expect(parseStat(stat)).toEqual({ pid: 4711, parent: 17, own: 300, waitedFor: 50 });
  });
});

describe('treeOf', () => {
  it('when processes have children of children, all of them are in it and no others', () => {
    const of = (pid: number, parent: number) => ({ pid, parent, own: 1, waitedFor: 0 });
    const all = [of(1, 0), of(2, 1), of(3, 2), of(4, 1), of(5, 9)];
    expect(treeOf(all, 2).map(({ pid }) => pid)).toEqual([2, 3]);
    expect(() => treeOf(all, 6)).toThrow('process 6 has ended');
  });
});

describe('this process', () => {
  it('when it works, its time grows by what Node itself says', () => {
    const before = { stat: cpuOf(process.pid), node: process.cpuUsage() };
    for (const end = performance.now() + 150; performance.now() < end;) Math.sqrt(end);
    const node = process.cpuUsage(before.node);
    const spent = cpuOf(process.pid) - before.stat;
    expect(Math.abs(spent - node.user - node.system)).toBeLessThanOrEqual(40_000); // two ticks a reading
    expect(cpuOfTree(process.pid)).toBeGreaterThanOrEqual(before.stat + spent);
  });

  it('when its memory is asked for, it is of the order of what Node says', () => {
    const rss = process.memoryUsage().rss;
    expect(pssOfTree(process.pid)).toBeGreaterThan(rss / 10);
    expect(pssOfTree(process.pid)).toBeLessThan(rss * 2);
  });
});

describe('stealBetween', () => {
  it('when the machine lost 3 of 200 ticks, it is 1.5 %; guests are not counted twice', () => {
    const from = parseMachineTime('cpu  100 10 50 800 5 1 2 20 7 0\ncpu0 1 2 3');
    expect(from).toEqual({ total: 988, steal: 20 });
    expect(stealBetween(from, parseMachineTime('cpu  200 10 50 897 5 1 2 23 70 0'))).toBeCloseTo(0.015, 3);
    expect(stealBetween(from, from)).toBe(0);
  });
});
