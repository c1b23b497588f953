import { setTimeout as delay } from 'node:timers/promises';
import type { Mesh } from '../mesh/mesh.ts';
import type { Bench } from './bench.ts';
import { machineTime, pssOfTree, stealBetween } from './cpu.ts';
import { openOrderLoad } from './order-load.ts';
import { figureOf, noiseOf, runRounds, type Round } from './rounds.ts';
import { figureOver } from './summary.ts';
import { byProcess, withWholeMesh } from './whole-mesh.ts';

const loadMinutes = 10;
const perSecond = 10;
const mebibyte = 2 ** 20;

const arms = {
  start:
    'the mesh from nothing: an empty folder, new databases, migrations and seeds, until the first order is accepted',
  memory: `the same mesh after ${loadMinutes} minutes of ${perSecond} orders a second`,
};
const notes = [
  'PostgreSQL, Redis, Sentry, the bank and every service with its sidecar. Memory is PSS, because sidecars share one binary and apps share Node; PostgreSQL with all its backends.',
  'A cold start begins with programs and npm packages installed; the compile cache is warm, as it is after `make test`.',
];

/** P9: memory of the core mesh under load, and how soon it accepts an order from a cold start. */
export const p9: Bench = {
  id: 'p9',
  seconds: (rounds) => rounds * 20 + loadMinutes * 60,
  parts: ['node', 'daprd', 'PostgreSQL', 'Redis'],
  async run({ rounds: wanted, say }) {
    const starts = await runRounds({ order: ['start'], wanted, pinned: false, turn: coldStart, say });
    say(`  ${loadMinutes} minutes of load`);
    const loaded = await memoryUnderLoad();
    const rounds = [...starts, loaded];
    return { arms, notes, rounds, summary: { figures: figures(starts, loaded) } };
  },
};

function figures(starts: readonly Round[], loaded: Round) {
  const memory = figureOver([loaded], { key: 'memory', label: 'memory under load', unit: 'MiB' }, (one) =>
    figureOf(one, 'memory', 'total'),
  );
  const first = figureOver(starts, { key: 'firstOrder', label: 'first order accepted', unit: 's' }, (one) =>
    figureOf(one, 'start', 'firstOrder'),
  );
  return [...memory, ...first];
}

async function coldStart(): Promise<Record<string, number>> {
  const from = performance.now();
  return withWholeMesh(async (mesh) => {
    const load = await openOrderLoad(mesh);
    await load.place(1, 1);
    const firstOrder = (performance.now() - from) / 1_000;
    await load.settle();
    await load.close();
    return { firstOrder };
  });
}

async function memoryUnderLoad(): Promise<Round> {
  const before = machineTime();
  const figures = await withWholeMesh(async (mesh) => {
    const load = await openOrderLoad(mesh);
    const from = Date.now();
    // At a fixed rate: an order that waits for the one before would slow down the load that it waits for.
    const underWay: Promise<void>[] = [];
    for (let n = 0; n < loadMinutes * 60 * perSecond; n++) {
      await delay(Math.max(0, from + (n * 1_000) / perSecond - Date.now()));
      const one = load.place(1, 1);
      one.catch(() => undefined); // it is looked at below
      underWay.push(one);
    }
    await Promise.all(underWay);
    const memory = memoryOf(mesh);
    await load.close();
    return memory;
  });
  const steal = stealBetween(before, machineTime());
  return { pinned: false, steal, noise: noiseOf({ steal }), turns: [{ arm: 'memory', figures }] };
}

/** PSS of every process of the mesh in MiB, and their sum. */
function memoryOf(mesh: Mesh): Record<string, number> {
  const mebibytes = (pid: number) => pssOfTree(pid) / mebibyte;
  const parts = byProcess(mesh, { process: mebibytes, tree: mebibytes });
  return { total: Object.values(parts).reduce((sum, value) => sum + value, 0), ...parts };
}
