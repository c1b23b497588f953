import type { Measured } from './record.ts';

/** How far a bench is to go, and where it tells its progress. */
export interface BenchOptions {
  /** Rounds that have to count; fewer than nine are only for trying it. */
  readonly rounds: number;
  readonly say: (line: string) => void;
}

/** One bench: it starts what it needs, measures, and ends all of it. */
export interface Bench {
  readonly id: string;
  /** About how long it takes, in seconds. */
  readonly seconds: (rounds: number) => number;
  /** Programs and npm packages whose versions belong into its record. */
  readonly parts: readonly string[];
  readonly run: (options: BenchOptions) => Promise<Measured>;
}

/** Fewer rounds than this make no record that counts. */
export const fewestRounds = 9;

/** How many rounds the run has that is there for comparison: pinned otherwise than the main one. */
export const comparedRounds = (rounds: number) => Math.ceil(rounds / 3);
