import type { Bookkeeper } from '../books.ts';
import type { ClientLogLine } from '../client-log.ts';
import type { Invariant } from '../findings.ts';

/**
 * Damage done to copies of the books, or to what clients were told; each invariant named has to notice it. Order 1 is
 * shipped, 2 rejected, 3 declined, 4 cancelled after it was paid, 5 shipped.
 */
export interface Damage {
  readonly what: string;
  /** The id that each of them has to name, where it is known beforehand. */
  readonly names?: string;
  readonly breaks: readonly Invariant[];
  /** Statements by service; constraints that would not let the damage happen are dropped first. */
  readonly sql?: Partial<Readonly<Record<Bookkeeper, string>>>;
  readonly lines?: (lines: readonly ClientLogLine[]) => ClientLogLine[];
  readonly counts?: (counts: ReadonlyMap<string, number>) => Map<string, number>;
}
