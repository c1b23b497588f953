import { describe, expect, it, vi } from 'vitest';
import { VoidRound, figureOf, isNoisy, kept, noiseOf, over, runRounds, thereAndBack, type Round } from './rounds.ts';

const round = (turns: Record<string, number[]>, more: Partial<Round> = {}): Round => ({
  pinned: true,
  steal: 0,
  turns: Object.entries(turns).flatMap(([arm, values]) => values.map((cpu) => ({ arm, figures: { cpu } }))),
  ...more,
});

describe('thereAndBack', () => {
  it('when arms are D, S and K, each has its turn on the way there and on the way back', () => {
    expect(thereAndBack(['D', 'S', 'K'])).toEqual(['D', 'S', 'K', 'K', 'S', 'D']);
  });
});

describe('figureOf', () => {
  it('when an arm had two turns, it is their mean', () => {
    expect(figureOf(round({ D: [10, 30], S: [1] }), 'D', 'cpu')).toBe(20);
  });

  it('when one turn lacks the figure, it throws', () => {
    expect(() => figureOf(round({ D: [10] }), 'D', 'memory')).toThrow('memory of D');
    expect(() => figureOf(round({ D: [10] }), 'S', 'cpu')).toThrow('cpu of S');
  });
});

describe('noiseOf', () => {
  it('when the control is within 3 % and the host left the machine alone, there is no noise', () => {
    for (const control of [0.97, 1, 1.03, undefined]) expect(noiseOf({ control, steal: 0.0099 })).toBeUndefined();
  });

  it('when the control is off or time was stolen, it says which', () => {
    expect(noiseOf({ control: 0.969, steal: 0 })).toBe('the control is at 0.969 of its copy');
    expect(noiseOf({ control: 1.031, steal: 0 })).toBe('the control is at 1.031 of its copy');
    expect(noiseOf({ control: 1, steal: 0.01 })).toBe('steal 1.0 %');
  });
});

describe('over', () => {
  it('when a round was noisy or void, its value is left out', () => {
    const noisy = round({ D: [100] }, { noise: 'steal 2.0 %' });
    const rounds = [round({ D: [1] }), noisy, round({ D: [3] }), round({}, { void: 'answered 500' })];
    const { values, median } = over(rounds, (one) => figureOf(one, 'D', 'cpu'));
    expect(values).toEqual([1, 3]);
    expect(median).toBe(2);
  });
});

describe('kept', () => {
  const some = (count: number, more: Partial<Round>) => Array.from({ length: count }, () => round({}, more));
  const [quiet, noisy, voids] = [some(9, {}), some(5, { noise: 'steal 2.0 %' }), some(4, { void: 'answered 500' })];

  it('when up to a third of the whole rounds are noisy, the quiet ones count', () => {
    const rounds = [...quiet, ...noisy.slice(1), ...voids];
    expect(isNoisy(rounds)).toBe(false);
    expect(kept(rounds)).toEqual(quiet);
  });

  it('when more are noisy, all whole ones count, and none that is void', () => {
    const rounds = [...quiet, ...noisy, ...voids];
    expect(isNoisy(rounds)).toBe(true);
    expect(kept(rounds)).toEqual([...quiet, ...noisy]);
  });
});

describe('runRounds', () => {
  const machine = () => ({ total: 100, steal: 0 });
  const untilQuiet = vi.fn(async () => undefined);
  const control = { arm: 'A', copyOf: 'D', figure: 'cpu' };
  const options = { order: ['D', 'A'], pinned: true, control, say: () => undefined, machine, untilQuiet };

  it('when a turn is void, the round ends there, is kept as void, and another makes up for it', async () => {
    let turns = 0;
    const rounds = await runRounds({
      ...options,
      wanted: 2,
      turn: async () => {
        turns += 1;
        if (turns === 4) throw new VoidRound('2 iterations were dropped');
        return { cpu: 5 };
      },
    });
    expect(rounds.map(({ void: why, turns: all, control: agreed }) => [why, all.length, agreed])).toEqual([
      [undefined, 2, 1],
      ['2 iterations were dropped', 1, undefined],
      [undefined, 2, 1],
    ]);
  });

  it('when the host takes time away during a round, that round is noisy and another makes up for it', async () => {
    const readings = [0, 5, 5, 5, 5, 5].map((steal, index) => ({ total: 100 * index, steal }));
    const stolen = () => readings.shift() ?? { total: 0, steal: 0 };
    const rounds = await runRounds({ ...options, machine: stolen, wanted: 2, turn: async () => ({ cpu: 5 }) });
    expect(rounds.map(({ noise }) => noise)).toEqual(['steal 5.0 %', undefined, undefined]);
  });

  it('when the control never agrees, it waits for quiet until noise is the rule, and completes the rounds', async () => {
    untilQuiet.mockClear();
    const rounds = await runRounds({ ...options, wanted: 9, turn: async (arm) => ({ cpu: arm === 'A' ? 2 : 1 }) });
    expect(untilQuiet).toHaveBeenCalledTimes(5);
    expect(rounds).toHaveLength(9);
    expect(rounds.every(({ noise }) => noise !== undefined)).toBe(true);
  });

  it('when every round is void, it gives up as soon as over a third would be', async () => {
    const turn = () => Promise.reject(new VoidRound('answered 500'));
    expect(await runRounds({ ...options, wanted: 9, turn })).toHaveLength(5);
  });

  it('when a turn fails in another way, that is no noise', async () => {
    const turn = () => Promise.reject(new Error('process 7 has ended'));
    await expect(runRounds({ ...options, wanted: 1, turn })).rejects.toThrow('process 7 has ended');
  });
});
