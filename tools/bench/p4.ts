import type { Mesh } from '../mesh/mesh.ts';
import type { Bench } from './bench.ts';
import { cpuOf, cpuOfTree } from './cpu.ts';
import { openOrderLoad, type OrderLoad } from './order-load.ts';
import { figureOf, runRounds, type Round } from './rounds.ts';
import { figureOver, partsByArm } from './summary.ts';
import { byProcess, sidecarOf, withWholeMesh } from './whole-mesh.ts';

const arm = 'mesh';
const atOnce = 24;
const orders = 600;
const firstWarmUpOrders = 1_500;
const warmUpOrders = 100;

const notes = [
  `${orders} orders of one line a round, ${atOnce} clients at once in a closed loop, after ${warmUpOrders} to warm up and ${firstWarmUpOrders} before the first round; counted from the first order until the last one is shipped, over every process of the mesh but not the clients, who share the machine.`,
  'Each order is placed over HTTP and gRPC, reserved, paid at the bank and shipped: one call through two sidecars, one through the sidecar to the bank, ten events published, seven delivered. One service each, nothing pinned, the settings of `make up`.',
  'What the sidecars spend is daprd alone: it is what an order would still cost if apps, database and bank cost nothing, and only fewer or larger calls, publications and deliveries make it less. The rest is the apps, PostgreSQL, and the stand-in of a bank, which does in one service what a payment provider does elsewhere.',
  'Events are published in bulk and delivered one by one. Deliveries in bulk would cost less near saturation, but a sidecar hands over one batch of a topic at a time and tries an event that has to come again before it hands over the next: one bad event would hold up all behind it for ten seconds.',
];

/** P4: CPU time per shipped order, near saturation. */
export const p4: Bench = {
  id: 'p4',
  seconds: (rounds) => 80 + rounds * 20,
  parts: ['node', 'daprd', 'PostgreSQL', 'Redis'],
  run: ({ rounds: wanted, say }) =>
    withWholeMesh(async (mesh) => {
      const load = await openOrderLoad(mesh);
      try {
        await load.place(firstWarmUpOrders, atOnce);
        const rounds = await runRounds({
          order: [arm],
          wanted,
          pinned: false,
          turn: () => turn(mesh, load),
          say,
        });
        const parts = { label: 'CPU time per shipped order, by process', unit: 'ms', bars: barsOf(rounds) };
        return { arms: { [arm]: 'the whole mesh' }, notes, rounds, summary: { figures: figures(rounds), parts } };
      } finally {
        await load.close();
      }
    }),
};

const figures = (rounds: readonly Round[]) => [
  ...figureOver(rounds, { key: 'cpuPerOrder', label: 'per shipped order', unit: 'ms' }, (one) =>
    figureOf(one, arm, 'cpu'),
  ),
  ...kinds.flatMap((kind) =>
    figureOver(rounds, { key: kind, label: `of that, ${kind}`, unit: 'ms' }, (one) => cpuOfKind(one, kind)),
  ),
  ...figureOver(rounds, { key: 'perSecond', label: 'shipped a second', unit: 'orders' }, (one) =>
    figureOf(one, arm, 'perSecond'),
  ),
];

const kinds = ['apps', 'sidecars', 'PostgreSQL', 'Redis', 'bank'] as const;
type Kind = (typeof kinds)[number];
const kindsOfServers: Readonly<Record<string, Kind>> = { postgres: 'PostgreSQL', redis: 'Redis', bank: 'bank' };
const kindOf = (process: string): Kind =>
  kindsOfServers[process] ?? (process.endsWith(sidecarOf('')) ? 'sidecars' : 'apps');

/** CPU time per order of all processes of a kind, in milliseconds. */
const cpuOfKind = (round: Round, kind: Kind): number =>
  round.turns
    .flatMap((turn) => Object.entries(turn.figures))
    .filter(([key]) => key.startsWith('cpu.') && kindOf(key.slice(4)) === kind)
    .reduce((sum, [, value]) => sum + value, 0);

/** One bar of all kinds, and one of each service: its app and its sidecar. */
function barsOf(rounds: readonly Round[]) {
  const parts = partsByArm(rounds, [arm]).flatMap((bar) => bar.parts);
  const valueOf = (process: string) => parts.find(({ name }) => name === process)?.value ?? 0;
  const sums = kinds.map((name) => ({
    name,
    value: parts.filter((part) => kindOf(part.name) === name).reduce((sum, { value }) => sum + value, 0),
  }));
  const services = parts.filter(({ name }) => kindOf(name) === 'apps').map(({ name }) => name);
  const bars = services.map((service) => ({
    arm: service,
    parts: [
      { name: 'apps', value: valueOf(service) },
      { name: 'sidecars', value: valueOf(sidecarOf(service)) },
    ],
  }));
  return sums.length === 0 ? [] : [{ arm: 'all', parts: sums }, ...bars];
}

async function turn(mesh: Mesh, load: OrderLoad): Promise<Record<string, number>> {
  await load.place(warmUpOrders, atOnce);
  await load.settle();
  const before = { shipped: await load.shipped(), at: performance.now(), cpu: cpuByProcess(mesh) };
  await load.place(orders, atOnce);
  await load.settle();
  const after = { shipped: await load.shipped(), at: performance.now(), cpu: cpuByProcess(mesh) };
  const shipped = after.shipped - before.shipped;
  const parts = Object.entries(after.cpu).map(
    ([name, micros]) => [`cpu.${name}`, (micros - (before.cpu[name] ?? 0)) / shipped / 1_000] as const,
  );
  return {
    shipped,
    perSecond: (shipped / (after.at - before.at)) * 1_000,
    cpu: parts.reduce((sum, [, milliseconds]) => sum + milliseconds, 0),
    ...Object.fromEntries(parts),
  };
}

/** CPU time so far of every process of the mesh, in microseconds. */
const cpuByProcess = (mesh: Mesh) => byProcess(mesh, { process: cpuOf, tree: cpuOfTree });
