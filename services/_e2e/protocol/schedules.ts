import { randomNumbers } from '../random.ts';
import { brokenByStock, isOver, type Violation } from './invariants.ts';
import { steps, type Step } from './steps.ts';
import { attempt } from './walk.ts';
import { newShelf, newWorld, type Mesh, type Shelf, type World } from './world.ts';

/** What became of one schedule: how its orders ended, or what they broke and by which steps. */
export interface Run {
  readonly ends: readonly World['order'][];
  readonly violation: (Violation & { readonly schedule: readonly string[] }) | undefined;
}

interface Buyer {
  world: World;
  /** What can happen to this order: all that is certain, and a third of the rest, or few orders would come far. */
  readonly fate: readonly Step[];
}

interface Shop {
  stock: readonly Shelf[];
  readonly buyers: readonly Buyer[];
  readonly schedule: string[];
}

const certainSteps = steps.filter((step) => step.certain);
const draws = 240;

/** Runs four orders for too little stock, as the seed alone decides: first at random, then until nothing is left. */
export function runSchedule(mesh: Mesh, seed: number): Run {
  const upTo = randomNumbers(seed);
  const shop = openShop(upTo);
  const violation = turmoil(mesh, shop, upTo) ?? calm(mesh, shop);
  const ends = shop.buyers.map((buyer) => buyer.world.order);
  return { ends, violation: violation && { ...violation, schedule: shop.schedule } };
}

function openShop(upTo: (count: number) => number): Shop {
  const stock = [
    newShelf('apple', 'north', upTo(3)),
    newShelf('apple', 'south', upTo(4)),
    newShelf('bread', 'north', upTo(4)),
  ];
  const buyers = Array.from({ length: 4 }, () => {
    const apples = { productId: 'apple', quantity: 1 + upTo(2) };
    const wanted = upTo(2) === 0 ? [apples] : [apples, { productId: 'bread', quantity: 1 }];
    const fate = steps.filter((step) => step.certain || upTo(3) === 0);
    return { world: newWorld({ wanted, covered: upTo(4) > 0, stock }), fate };
  });
  return { stock, buyers, schedule: [] };
}

function turmoil(mesh: Mesh, shop: Shop, upTo: (count: number) => number): Violation | undefined {
  for (let draw = 0; draw < draws; draw += 1) {
    const buyer = shop.buyers[upTo(shop.buyers.length)];
    const step = buyer?.fate[upTo(buyer.fate.length)];
    const result = buyer && step && advance(mesh, shop, buyer, step);
    if (typeof result === 'object') return result;
  }
  return undefined;
}

/** All that is certain happens, until it changes nothing any more: then all must be over. */
function calm(mesh: Mesh, shop: Shop): Violation | undefined {
  for (let changed = true; changed;) {
    changed = false;
    for (const buyer of shop.buyers) {
      for (const step of certainSteps) {
        const result = advance(mesh, shop, buyer, step);
        if (typeof result === 'object') return result;
        changed ||= result;
      }
    }
  }
  const open = shop.buyers.find((buyer) => !isOver(buyer.world));
  return open && { invariant: 'I2', detail: `never ends, ${open.world.order}` };
}

/** Takes a step of one order on the stock of all; gives what it breaks, or whether it changed anything. */
function advance(mesh: Mesh, shop: Shop, buyer: Buyer, step: Step): Violation | boolean {
  const before = buyer.world.stock === shop.stock ? buyer.world : { ...buyer.world, stock: shop.stock };
  const after = attempt(mesh, before, step);
  if (!after || after === before) return false;
  shop.schedule.push(`order ${shop.buyers.indexOf(buyer)}: ${step.name}`);
  if ('invariant' in after) return after;
  buyer.world = after;
  if (after.stock === shop.stock) return true;
  shop.stock = after.stock;
  return (
    brokenByStock(
      after.stock,
      shop.buyers.map((one) => one.world),
    ) ?? true
  );
}
