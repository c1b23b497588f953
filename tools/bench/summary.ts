import type { RecordedFigure } from './record.ts';
import { figureOf, kept, mainRounds, over, type Round } from './rounds.ts';

/** A figure over the rounds that count, or nothing when none does. */
export function figureOver(
  rounds: readonly Round[],
  words: Pick<RecordedFigure, 'key' | 'label' | 'unit'>,
  value: (round: Round) => number,
): RecordedFigure[] {
  return kept(rounds).length === 0 ? [] : [{ ...words, ...over(rounds, value) }];
}

/** Rounds that were run under one condition, and what keys and labels of figures over them end in. */
export interface Condition {
  readonly rounds: readonly Round[];
  readonly suffix: string;
  readonly words: string;
  readonly group: string;
}

/** Rounds apart by whether generator and measured were pinned to cores: first the main ones, whose keys end in nothing. */
export function byPinning(rounds: readonly Round[]): Condition[] {
  const main = mainRounds(rounds);
  const others = rounds.filter((round) => !main.includes(round));
  const [group, other] = main[0]?.pinned === false ? ['unpinned', 'pinned'] : ['pinned', 'unpinned'];
  const suffix = other === 'pinned' ? 'Pinned' : 'Unpinned';
  return [
    { rounds: main, suffix: '', group, words: '' },
    { rounds: others, suffix, group: other, words: `, ${other}` },
  ];
}

/** CPU by process of each arm, in the order of the first turn's figures. */
export function partsByArm(rounds: readonly Round[], arms: readonly string[]) {
  return arms.flatMap((arm) => {
    const [first] = kept(rounds);
    const names = Object.keys(first?.turns.find((turn) => turn.arm === arm)?.figures ?? {}).filter((name) =>
      name.startsWith('cpu.'),
    );
    if (names.length === 0) return [];
    return [
      {
        arm,
        parts: names.map((name) => ({
          name: name.slice(4),
          value: over(rounds, (one) => figureOf(one, arm, name)).median,
        })),
      },
    ];
  });
}
