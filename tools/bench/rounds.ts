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

/** Turns of all arms, one after another; `dropped` says why it does not count. */
export interface Round {
  readonly pinned: boolean;
  readonly steal: number;
  /** The control arm's figure as a multiple of the arm it copies. */
  readonly control?: number | undefined;
  readonly dropped?: string | undefined;
  readonly turns: readonly Turn[];
}

/** What a turn throws when its round must not count: an answer was wrong, an iteration was dropped. */
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

/** The rounds that count. */
export const kept = (rounds: readonly Round[]): Round[] => rounds.filter(({ dropped }) => dropped === undefined);

/** The rounds that a bench is about, without those that were added for comparison under other conditions. */
export const mainRounds = (rounds: readonly Round[]): Round[] =>
  rounds.filter(({ pinned }) => pinned === rounds[0]?.pinned);

/** Whether so many were dropped that the rest says nothing: over a third, once `wanted` others are there. */
export const tooNoisy = (rounds: readonly Round[], wanted: number): boolean =>
  (rounds.length - kept(rounds).length) * 2 > wanted;

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
  readonly quiet?: () => Promise<void>;
}

/** Resolves when the host has left this machine alone for three seconds, or after three minutes without such three. */
async function untilQuiet(): Promise<void> {
  for (let tries = 60; tries > 0; tries -= 1) {
    const before = machineTime();
    await delay(3_000);
    if (stealBetween(before, machineTime()) < mostSteal) return;
  }
}

/** Runs rounds, each once the machine is quiet, until as many count as are wanted, or too many were dropped. */
export async function runRounds(options: RoundsOptions): Promise<Round[]> {
  const { quiet = untilQuiet } = options;
  const rounds: Round[] = [];
  while (kept(rounds).length < options.wanted && !tooNoisy(rounds, options.wanted)) {
    await quiet();
    const round = await runRound(options);
    rounds.push(round);
    const state = round.dropped === undefined ? 'counts' : `dropped: ${round.dropped}`;
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
    if (error instanceof VoidRound) return { ...measured(), dropped: error.message };
    throw error;
  }
  const round = measured();
  const checked = { ...round, ...(control && { control: controlOf(round, control) }) };
  return { ...checked, dropped: noiseOf(checked) };
}

const controlOf = (round: Round, { arm, copyOf, figure }: Control): number =>
  figureOf(round, arm, figure) / figureOf(round, copyOf, figure);
