import { comparedRounds, type BenchOptions } from './bench.ts';
import { moveTo } from './cores.ts';
import { runRounds, type Round, type RoundsOptions } from './rounds.ts';

/**
 * Runs the rounds with the generator on one core and everything under test on the other, then some with all of them
 * anywhere, for comparison; or the other way round, for what one core cannot carry.
 */
export async function runPinnedAndNot(
  { rounds: wanted, say }: BenchOptions,
  pids: { readonly generator: readonly number[]; readonly underTest: readonly number[] },
  options: Omit<RoundsOptions, 'wanted' | 'pinned' | 'say'>,
  pinnedFirst = true,
): Promise<Round[]> {
  const run = (pinned: boolean, rounds: number) => {
    moveTo(pinned ? 'generator' : 'anywhere', pids.generator);
    moveTo(pinned ? 'underTest' : 'anywhere', pids.underTest);
    return runRounds({ ...options, wanted: rounds, pinned, say });
  };
  const main = await run(pinnedFirst, wanted);
  return [...main, ...(await run(!pinnedFirst, comparedRounds(wanted)))];
}
