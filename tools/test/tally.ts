/** What came of some tests. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
  /** What failed, a line each: a long log shows only its end. */
  readonly names: readonly string[];
}

/** Several tallies as one. */
export const together = (tallies: readonly Tally[]): Tally => ({
  passed: tallies.reduce((sum, { passed }) => sum + passed, 0),
  failed: tallies.reduce((sum, { failed }) => sum + failed, 0),
  names: tallies.flatMap(({ names }) => names),
});
