import { ImpossibleInput } from '../../_chassis/impossible.ts';
import { brokenBy, brokenByStep, brokenByStock, isOver, type Violation } from './invariants.ts';
import { steps, type Step } from './steps.ts';
import { keyOf, type Mesh, type World } from './world.ts';

/** What a walk found; a violation comes with the shortest way to it. */
export interface Walk {
  readonly states: number;
  readonly steps: number;
  readonly ends: number;
  readonly violation: (Violation & { readonly schedule: readonly string[] }) | undefined;
}

interface Place {
  readonly world: World;
  readonly from: Place | undefined;
  readonly by: string;
  /** The places from which a certain step leads here, and how many certain steps lead on from here. */
  readonly before: Place[];
  onward: number;
}

/** Takes a step and gives the world after it, or what it breaks; nothing where the step cannot happen. */
export function attempt(mesh: Mesh, world: World, step: Step): World | Violation | undefined {
  try {
    const after = step.take(mesh, world);
    if (!after || after === world) return after;
    return brokenByStep(world, after) ?? brokenBy(after) ?? after;
  } catch (error) {
    if (!(error instanceof ImpossibleInput)) throw error;
    return { invariant: error.machine === 'order history' ? 'I9' : 'impossible', detail: error.message };
  }
}

/**
 * Walks every world of one order that can be reached from the starts, and stops at the first violation. Where it finds
 * none, an end is certain from every world: the certain steps go neither into a dead end nor in circles.
 */
export function walk(mesh: Mesh, starts: readonly World[]): Walk {
  const places = new Map<string, Place>();
  const queue: Place[] = [];
  const arrive = (world: World, from: Place | undefined, by: string): Place => {
    const key = keyOf(world);
    const known = places.get(key);
    if (known) return known;
    const place = { world, from, by, before: [], onward: 0 };
    places.set(key, place);
    queue.push(place);
    return place;
  };
  for (const world of starts) arrive(world, undefined, startName(world));

  let taken = 0;
  const result = (violation: Violation | undefined, from: Place | undefined, ...by: string[]): Walk => {
    const ends = queue.filter(({ world }) => isOver(world)).length;
    const told = violation && { ...violation, schedule: [...schedule(from), ...by] };
    return { states: places.size, steps: taken, ends, violation: told };
  };
  // The queue grows while it is walked.
  for (const place of queue) {
    for (const step of steps) {
      const after = attempt(mesh, place.world, step);
      if (!after || after === place.world) continue;
      if ('invariant' in after) return result(after, place, step.name);
      const broken = brokenByStock(after.stock, [after]);
      if (broken) return result(broken, place, step.name);
      const next = arrive(after, place, step.name);
      if (next === place) continue;
      taken += 1;
      if (!step.certain) continue;
      next.before.push(place);
      place.onward += 1;
    }
  }
  const deadEnd = queue.find(({ world, onward }) => onward === 0 && !isOver(world));
  if (deadEnd) return result({ invariant: 'I2', detail: 'nothing more is certain to happen' }, deadEnd);
  const endless = firstEndless(queue);
  return result(endless && { invariant: 'I2', detail: 'certain steps can go on for ever' }, endless);
}

/** No dead end is left: so an end is reached whatever order the certain steps come in, unless they go in circles. */
function firstEndless(places: readonly Place[]): Place | undefined {
  const open = new Map(places.map((place) => [place, place.onward]));
  const finite = places.filter(({ onward }) => onward === 0);
  // The list grows while it is walked.
  for (const place of finite) {
    for (const before of place.before) {
      const left = (open.get(before) ?? 0) - 1;
      open.set(before, left);
      if (left === 0) finite.push(before);
    }
  }
  return finite.length === places.length ? undefined : places.find((place) => open.get(place) !== 0);
}

function schedule(place: Place | undefined): string[] {
  return place ? [...schedule(place.from), place.by] : [];
}

function startName({ stock, covered }: World): string {
  return `${stock.map((shelf) => shelf.received).join(', ')} in stock, card ${covered ? 'covered' : 'not covered'}`;
}
