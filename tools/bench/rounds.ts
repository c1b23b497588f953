import { setTimeout as delay } from 'node:timers/promises';
import { machineTime, stealBetween, type MachineTime } from './cpu.ts';
import { estimate, type Estimate } from './statistics.ts';

export const warmUpSeconds = 2;
export const measuredSeconds = 5;
/** Seconds of one turn of an arm. */
export const turnSeconds = warmUpSeconds + measuredSeconds;

/** The raw figures of one turn of an arm, by name. */
export interface Turn {
  readonly arm: string;
  readonly figures: Readonly<Record<string, number>>;
}

/** Turns of all arms, one after another. */
export interface Round {
  readonly pinned: boolean;
  readonly steal: number;
  /** The control arm's figure as a multiple of the arm it copies. */
  readonly control?: number | undefined;
  /** Why it never counts: an answer was wrong, an iteration was dropped. */
  readonly void?: string | undefined;
  /** Why the machine was too noisy for it to count beside quiet ones. */
  readonly noise?: string | undefined;
  readonly turns: readonly Turn[];
}

/** What a turn throws when its round must never count: an answer was wrong, an iteration was dropped. */
export class VoidRound extends Error {}

/** The order of a round: there and back, so that a machine that grows slower or faster does so for every arm. */
export const thereAndBack = (arms: readonly string[]): string[] => [...arms, ...arms.toReversed()];

/** A figure of an arm in a round: the mean of its turns; one that was not measured is an error. */
export function figureOf(round: Round, arm: string, figure: string): number {
  const values = round.turns.filter((turn) => turn.arm === arm).map((turn) => turn.figures[figure]);
  const sum = values.reduce<number>((total, value) => total + (value ?? Number.NaN), 0);
  if (values.length === 0 || Number.isNaN(sum)) throw new Error(`${figure} of ${arm} was not measured`);
  return sum / values.length;
}

/** Two arms that are the same program, and the figure in which they must agree. */
export interface Control {
  readonly arm: string;
  readonly copyOf: string;
  readonly figure: string;
}

const controlWithin = { low: 0.97, high: 1.03 };
const mostSteal = 0.01;

/** Why the machine was too noisy for a round to count, or undefined. */
export function noiseOf({ control, steal }: Pick<Round, 'control' | 'steal'>): string | undefined {
  if (steal >= mostSteal) return `steal ${(steal * 100).toFixed(1)} %`;
  if (control === undefined || (control >= controlWithin.low && control <= controlWithin.high)) return undefined;
  return `the control is at ${control.toFixed(3)} of its copy`;
}

const whole = (rounds: readonly Round[]): Round[] => rounds.filter((round) => round.void === undefined);
const quiet = (rounds: readonly Round[]): Round[] => whole(rounds).filter(({ noise }) => noise === undefined);

/** Whether over a third of the whole rounds were noisy: what they say is worth showing, and proves nothing. */
export const isNoisy = (rounds: readonly Round[]): boolean => quiet(rounds).length * 3 < whole(rounds).length * 2;

/** The rounds that count: the quiet ones, or all whole ones where {@link isNoisy} says that noise was the rule. */
export const kept = (rounds: readonly Round[]): Round[] => (isNoisy(rounds) ? whole(rounds) : quiet(rounds));

/** The rounds that a bench is about, without those that were added for comparison under other conditions. */
export const mainRounds = (rounds: readonly Round[]): Round[] =>
  rounds.filter(({ pinned }) => pinned === rounds[0]?.pinned);

/** A value of each round that counts, with median and interval. */
export type Figure = Estimate & { readonly values: readonly number[] };

/** One value a round, taken within the round, over all rounds that count. */
export function over(rounds: readonly Round[], value: (round: Round) => number): Figure {
  const values = kept(rounds).map(value);
  return { ...estimate(values), values };
}

/** How a bench's rounds are run. */
export interface RoundsOptions {
  readonly order: readonly string[];
  readonly wanted: number;
  readonly pinned: boolean;
  readonly control?: Control;
  readonly turn: (arm: string, pinned: boolean) => Promise<Readonly<Record<string, number>>>;
  readonly say: (line: string) => void;
  readonly machine?: () => MachineTime;
  /** Waited for before each round. */
  readonly untilQuiet?: () => Promise<void>;
}

/** Resolves when the host has left this machine alone for three seconds, or after a minute without such three. */
async function threeQuietSeconds(): Promise<void> {
  for (let tries = 20; tries > 0; tries -= 1) {
    const before = machineTime();
    await delay(3_000);
    if (stealBetween(before, machineTime()) < mostSteal) return;
  }
}

/**
 * Runs rounds, each once the machine is quiet, until as many quiet ones are there as are wanted. Once it is clear that over
 * a third would be noisy, it only completes the wanted number; once over a third would be void, it gives up.
 */
export async function runRounds(options: RoundsOptions): Promise<Round[]> {
  const { untilQuiet = threeQuietSeconds, wanted } = options;
  const rounds: Round[] = [];
  const tooMany = (count: number) => count * 2 > wanted;
  const noiseRules = () => tooMany(whole(rounds).length - quiet(rounds).length);
  while ((noiseRules() ? whole : quiet)(rounds).length < wanted && !tooMany(rounds.length - whole(rounds).length)) {
    if (!noiseRules()) await untilQuiet();
    const round = await runRound(options);
    rounds.push(round);
    const state = round.void ? `void: ${round.void}` : round.noise ? `noisy: ${round.noise}` : 'counts';
    options.say(`  round ${rounds.length}${options.pinned ? '' : ', unpinned'}: ${state}`);
  }
  return rounds;
}

async function runRound({ order, pinned, control, turn, machine = machineTime }: RoundsOptions): Promise<Round> {
  const turns: Turn[] = [];
  const before = machine();
  const measured = (): Round => ({ pinned, steal: stealBetween(before, machine()), turns });
  try {
    for (const arm of order) turns.push({ arm, figures: await turn(arm, pinned) });
  } catch (error) {
    if (error instanceof VoidRound) return { ...measured(), void: error.message };
    throw error;
  }
  const round = measured();
  const checked = { ...round, ...(control && { control: controlOf(round, control) }) };
  return { ...checked, noise: noiseOf(checked) };
}

const controlOf = (round: Round, { arm, copyOf, figure }: Control): number =>
  figureOf(round, arm, figure) / figureOf(round, copyOf, figure);
