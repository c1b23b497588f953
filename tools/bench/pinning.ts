import { unpinnedRounds, type BenchOptions } from './bench.ts';
import { moveTo } from './cores.ts';
import { runRounds, type Round, type RoundsOptions } from './rounds.ts';

/**
 * Runs the rounds with the generator on one core and everything under test on the other, then some with all of them
 * anywhere, for comparison.
 */
export async function runPinnedAndNot(
  { rounds: wanted, say }: BenchOptions,
  pids: { readonly generator: readonly number[]; readonly underTest: readonly number[] },
  options: Omit<RoundsOptions, 'wanted' | 'pinned' | 'say'>,
): Promise<Round[]> {
  moveTo('generator', pids.generator);
  moveTo('underTest', pids.underTest);
  const pinned = await runRounds({ ...options, wanted, pinned: true, say });
  moveTo('anywhere', [...pids.generator, ...pids.underTest]);
  return [...pinned, ...(await runRounds({ ...options, wanted: unpinnedRounds(wanted), pinned: false, say }))];
}
