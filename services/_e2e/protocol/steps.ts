import type { ShipmentState, ShipmentWork } from '../../fulfillment/shipment.ts';
import { hear, lease, parts, tellBank, tellFulfillment, tellInventory, tellOrders, tellPayments } from './services.ts';
import { calls, letters, type Call, type Letter, type Mesh, type World } from './world.ts';

/** One thing that can happen next. */
export interface Step {
  readonly name: string;
  /** Certain to happen in the end; all else (wishes, deadlines, losses, the answer to a POST) may never happen. */
  readonly certain: boolean;
  /** Gives the world after it; nothing where it cannot happen. */
  readonly take: (mesh: Mesh, world: World) => World | undefined;
}

const certain = (name: string, take: Step['take']): Step => ({ name, certain: true, take });
const possible = (name: string, take: Step['take']): Step => ({ name, certain: false, take });

const receivers: Readonly<Record<Letter, (mesh: Mesh, world: World) => World>> = {
  'reservation.requested': (mesh, world) => tellInventory(mesh, world, 'reservation.requested'),
  'reservation.withdrawn': (mesh, world) => tellInventory(mesh, world, 'reservation.withdrawn'),
  'payment.requested': (mesh, world) => tellPayments(mesh, world, 'payment.requested'),
  'payment.withdrawn': (mesh, world) => tellPayments(mesh, world, 'payment.withdrawn'),
  'shipment.requested': (mesh, world) => tellFulfillment(mesh, world, 'shipment.requested'),
  'shipment.withdrawn': (mesh, world) => tellFulfillment(mesh, world, 'shipment.withdrawn'),
  'reservation.confirmed': (mesh, world) => tellOrders(mesh, world, 'reservation.confirmed'),
  'reservation.refused': (mesh, world) => tellOrders(mesh, world, 'reservation.refused'),
  'payment.captured': (mesh, world) => tellOrders(mesh, world, 'payment.captured'),
  'payment.declined': (mesh, world) => tellOrders(mesh, world, 'payment.declined'),
  'payment.reversed': (mesh, world) => tellOrders(mesh, world, 'payment.reversed'),
  'shipment.dispatched': (mesh, world) => tellOrders(mesh, world, 'shipment.dispatched'),
  'shipment.dispatched to inventory': (mesh, world) => tellInventory(mesh, world, 'shipment.dispatched'),
  'shipment.cancelled': (mesh, world) => tellOrders(mesh, world, 'shipment.cancelled'),
};

/** Every step of one order, in no order: a message may be the first or the last to come, and may come again. */
export const steps: readonly Step[] = [
  certain('place', (mesh, world) => (world.order === 'none' ? tellOrders(mesh, world, 'place') : undefined)),
  possible('cancel', (mesh, world) => (world.order === 'none' ? undefined : tellOrders(mesh, world, 'cancel'))),
  possible('deadline', (mesh, world) => (world.order === 'none' ? undefined : tellOrders(mesh, world, 'deadline'))),
  ...letters.map(deliver),
  certain('lease', lease),
  // A call stays under way until it is lost: network and workers may repeat it, and its answers may come late.
  certain('charge.post arrives', whileOpen('charge.post', tellBank)),
  certain('reverse.post arrives', whileOpen('reverse.post', tellBank)),
  ...calls.flatMap(answers),
  // A worker may be slow: what it began it may report when the shipment has moved on.
  certain('pack', (mesh, world) => work(mesh, world, 'pack')),
  certain('dispatch', (mesh, world) => work(mesh, world, 'dispatch')),
  possible('give up', (mesh, world) => work(mesh, world, 'give-up')),
];

function deliver(letter: Letter): Step {
  return certain(`deliver ${letter}`, (mesh, world) => {
    const was = world.mail[letter];
    if (was === undefined) return undefined;
    if (was === 'handled' && mesh.inbox) return world;
    return receivers[letter](mesh, { ...world, mail: { ...world.mail, [letter]: 'handled' } });
  });
}

function whileOpen(call: Call, take: (mesh: Mesh, world: World, call: Call) => World | undefined): Step['take'] {
  return (mesh, world) => (world.calls[call] ? take(mesh, world, call) : undefined);
}

/** What a worker may hear of a call, or not; only a question by key is sure to be answered. */
function answers(call: Call): Step[] {
  const { question, verb } = parts[call];
  const answered = (age: number) => whileOpen(call, (mesh, world) => hear(mesh, world, call, age));
  const waitedEnough = whileOpen(call, (mesh, world) => tellPayments(mesh, world, `${question}.unknown`));
  const lost = whileOpen(call, (_, world) => ({ ...world, calls: { ...world.calls, [call]: false } }));
  return [
    { name: `${call} is answered`, certain: verb === 'get', take: answered(0) },
    possible(`${call} is answered from one entry ago`, answered(1)),
    possible(`${call} is answered from two entries ago`, answered(2)),
    possible(`${call} is waited for no longer`, waitedEnough),
    possible(`${call} is lost`, lost),
  ];
}

const started: Readonly<Record<ShipmentWork, readonly ShipmentState[]>> = {
  pack: ['picking', 'packed', 'dispatched', 'cancelled'],
  dispatch: ['packed', 'dispatched', 'cancelled'],
  'give-up': ['picking', 'packed', 'dispatched', 'cancelled'],
};

function work(mesh: Mesh, world: World, done: ShipmentWork): World | undefined {
  return started[done].includes(world.shipment) ? tellFulfillment(mesh, world, done) : undefined;
}
