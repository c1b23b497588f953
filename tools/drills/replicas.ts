import { setTimeout as delay } from 'node:timers/promises';
import type { Mesh, PairStatus } from '../mesh/mesh.ts';

/** Two of every service behind the gateway. */
export const twoOfEach = { products: 2, orders: 2, inventory: 2, payments: 2, fulfillment: 2 };

/** For shops on a busy machine: a request that is answered late is not lost. */
export const patient = { GATEWAY_DEADLINE_MS: '9000' };

const servingLimitMs = 60_000;
// What services ask of each other, and not for a client.
const housekeeping = /method="(listEvents|readEvents|getHealth)"/;

/** What one replica has done since its process started, by its own metrics. */
export interface Work {
  /** Methods answered that a client's request caused. */
  readonly calls: number;
  readonly events: number;
}

/** Asks a replica for what it has done; one that does not answer has done nothing. */
export async function workOf({ ports }: PairStatus): Promise<Work> {
  const text = await fetch(`http://127.0.0.1:${ports.ops}/metrics`, { signal: AbortSignal.timeout(2_000) })
    .then((response) => response.text())
    .catch(() => '');
  const sum = (metric: string) =>
    text
      .split('\n')
      .filter((line) => line.startsWith(`${metric}{`) && !housekeeping.test(line))
      .reduce((total, line) => total + Number(line.slice(line.lastIndexOf(' '))), 0);
  return { calls: sum('sidecart_method_duration_seconds_count'), events: sum('sidecart_events_handled_total') };
}

/**
 * Waits until a pair is ready and work has reached it since it started, under a load that never pauses. Ready alone is not
 * enough: the gateway's sidecar comes back to an address that refused it only after a back-off of a second or more.
 */
export async function untilServing(mesh: Mesh, pairName: string): Promise<void> {
  await mesh.waitReady(servingLimitMs);
  const limit = Date.now() + servingLimitMs;
  for (;;) {
    const pair = mesh.pairs().find(({ name }) => name === pairName);
    if (!pair) throw new Error(`there is no pair ${pairName}`);
    const { calls, events } = await workOf(pair);
    if ((callers.has(pair.service) ? calls : events) > 0) return;
    if (Date.now() > limit) throw new Error(`${pairName} is ready, and nothing reaches it`);
    await delay(100);
  }
}
/** Services that clients' requests reach; the others live on events alone. */
const callers = new Set(['products', 'inventory', 'orders']);

/** Stops and starts every pair that is not its service's only one, one after another, none before the others serve. */
export async function restartAll(mesh: Mesh): Promise<string[]> {
  const all = mesh.pairs();
  const others = ({ service, name }: PairStatus) => all.filter((one) => one.service === service && one.name !== name);
  // The first of each, then the second of each: so a pair has the time of all the others to be found again.
  const inTurn = all.filter((pair) => others(pair).length > 0).toSorted((a, b) => a.replica - b.replica);
  for (const pair of inTurn) {
    for (const other of others(pair)) await untilServing(mesh, other.name);
    await mesh.restart(pair.name);
  }
  for (const { name } of inTurn) await untilServing(mesh, name);
  return inTurn.map(({ name }) => name);
}
