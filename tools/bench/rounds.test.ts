import { describe, expect, it } from 'vitest';
import { VoidRound, figureOf, noiseOf, over, runRounds, thereAndBack, tooNoisy, type Round } from './rounds.ts';

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
  it('when a round was dropped, its value is left out', () => {
    const rounds = [round({ D: [1] }), round({ D: [100] }, { dropped: 'steal 2.0 %' }), round({ D: [3] })];
    const { values, median } = over(rounds, (one) => figureOf(one, 'D', 'cpu'));
    expect(values).toEqual([1, 3]);
    expect(median).toBe(2);
  });
});

describe('tooNoisy', () => {
  it('when nine rounds are wanted, four may be dropped on the way there and five may not', () => {
    const dropped = (count: number) => Array.from({ length: count }, () => round({}, { dropped: 'noise' }));
    expect(tooNoisy(dropped(4), 9)).toBe(false); // 4 of 13
    expect(tooNoisy(dropped(5), 9)).toBe(true); // 5 of 14
  });
});

describe('runRounds', () => {
  const machine = () => ({ total: 100, steal: 0 });
  const quiet = async () => undefined;
  const control = { arm: 'A', copyOf: 'D', figure: 'cpu' };
  const options = { order: ['D', 'A'], pinned: true, control, say: () => undefined, machine, quiet };

  it('when a turn is void, the round ends there, is kept as dropped, and another makes up for it', async () => {
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
    expect(rounds.map(({ dropped, turns: all, control: agreed }) => [dropped, all.length, agreed])).toEqual([
      [undefined, 2, 1],
      ['2 iterations were dropped', 1, undefined],
      [undefined, 2, 1],
    ]);
  });

  it('when the host takes time away during a round, that round is dropped', async () => {
    const readings = [0, 5, 5, 5, 5, 5].map((steal, index) => ({ total: 100 * index, steal }));
    const stolen = () => readings.shift() ?? { total: 0, steal: 0 };
    const rounds = await runRounds({ ...options, machine: stolen, wanted: 2, turn: async () => ({ cpu: 5 }) });
    expect(rounds.map(({ dropped }) => dropped)).toEqual(['steal 5.0 %', undefined, undefined]);
  });

  it('when the control never agrees, it gives up as soon as over a third would be dropped', async () => {
    const rounds = await runRounds({ ...options, wanted: 9, turn: async (arm) => ({ cpu: arm === 'A' ? 2 : 1 }) });
    expect(rounds).toHaveLength(5);
    expect(rounds.every(({ dropped }) => dropped !== undefined)).toBe(true);
  });

  it('when a turn fails in another way, that is no noise', async () => {
    const turn = () => Promise.reject(new Error('process 7 has ended'));
    await expect(runRounds({ ...options, wanted: 1, turn })).rejects.toThrow('process 7 has ended');
  });
});
