import type { Group } from './group.ts';
import type { Pair } from './pair.ts';
import type { Progress } from './progress.ts';

/** Ends everything in the order that loses nothing: pairs, then the bank, then what stands behind them all. */
export async function stopParts(
  parts: { pairs: readonly Pair[]; servers: readonly { readonly group: Group }[] },
  report?: (progress: Progress) => void,
): Promise<void> {
  const tell = (text: string) => report?.({ kind: 'event', text });
  if (parts.pairs.length > 0) tell('stopping the services');
  await Promise.all(parts.pairs.map(({ group }) => group.stop()));
  // They were started the other way round.
  for (const { group } of parts.servers.toReversed()) {
    tell(`stopping ${group.name}`);
    await group.stop();
  }
}
