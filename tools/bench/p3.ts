import { comparedRounds, type Bench } from './bench.ts';
import { portsOf, startBenchMesh, type BenchMesh } from './mesh.ts';
import { openLoopTurn } from './open-loop.ts';
import { runPinnedAndNot } from './pinning.ts';
import { figureOf, kept, mainRounds, over, thereAndBack, turnSeconds } from './rounds.ts';
import { byPinning, figureOver, partsByArm, type Condition } from './summary.ts';

const rate = 300;
const arms = {
  direct: 'Express asks Express directly, by the client of the chassis',
  sidecars: 'the same client, through the sidecars of both',
  sdk: '`DaprClient.invoker` of `@dapr/dapr` instead, through the same kind of sidecars',
  control: 'a second copy of the direct one',
};
const ids = Object.keys(arms);
const order = thereAndBack(ids);
const notes = [
  `${rate} requests of 1 KB a second by k6, over 16 connections; latencies count from when a request was due. The mesh's own resiliency policies are in force between the sidecars.`,
  'Nothing is pinned: one core of two is near saturation with two apps and two sidecars at this rate, and queues would be measured. Some rounds with all of them on one core, and k6 on the other, stand beside it, if one core carries them.',
  'Latencies of an arm are the medians over rounds of its percentiles. CPU time is that of apps and sidecars.',
];

/** The processes whose CPU time an arm costs. */
const processesOf: Readonly<Record<string, (mesh: BenchMesh) => Record<string, number>>> = {
  direct: (mesh) => ({ caller: mesh.app('direct').app, callee: mesh.app('inventory').app }),
  control: (mesh) => ({ caller: mesh.app('control').app, callee: mesh.app('payments').app }),
  sidecars: (mesh) => throughSidecars(mesh, 'sidecars'),
  sdk: (mesh) => throughSidecars(mesh, 'sdk'),
};
const throughSidecars = (mesh: BenchMesh, caller: string) => ({
  caller: mesh.app(caller).app,
  "caller's sidecar": mesh.app(caller).sidecar,
  "callee's sidecar": mesh.app('inventory').sidecar,
  callee: mesh.app('inventory').app,
});

/** P3: what two sidecars add to a call between two apps. */
export const p3: Bench = {
  id: 'p3',
  // k6 takes about a second to start and to end.
  seconds: (rounds) => 25 + (rounds + comparedRounds(rounds)) * order.length * (turnSeconds + 1.5),
  parts: ['node', 'daprd', '@dapr/dapr', 'undici', 'express', 'k6'],
  async run(options) {
    const caller = (id: string, arm: string, target: number) => ({
      id,
      script: 'front.ts',
      env: { BENCH_ARM: arm, BENCH_TARGET_PORT: String(portsOf(target).app) },
    });
    const mesh = await startBenchMesh([
      { id: 'inventory', script: 'echo.ts' },
      { id: 'payments', script: 'echo.ts' },
      caller('direct', 'direct', 0),
      caller('control', 'direct', 1),
      caller('sidecars', 'ours', 0),
      caller('sdk', 'sdk', 0),
    ]);
    try {
      const rounds = await runPinnedAndNot(
        options,
        { generator: [], underTest: mesh.pids() },
        {
          order,
          control: { arm: 'control', copyOf: 'direct', figure: 'cpu' },
          turn: (id, pinned) =>
            openLoopTurn({
              url: `http://127.0.0.1:${mesh.app(id).ports.app}/ask`,
              rate,
              pids: processesOf[id]?.(mesh) ?? {},
              pinned,
            }),
        },
        false,
      );
      const parts = {
        label: `CPU time per request at ${rate}/s`,
        unit: 'µs',
        bars: partsByArm(mainRounds(rounds), ids),
      };
      const conditions = byPinning(rounds);
      const summary = { figures: conditions.flatMap(figures), latencies: conditions.flatMap(latencies), parts };
      return { arms, notes, rounds, summary };
    } finally {
      await mesh.stop();
    }
  },
};

function figures({ rounds, suffix, words }: Condition) {
  const added = (arm: string, key: string, label: string, figure: string, unit = 'ms') =>
    figureOver(
      rounds,
      { key: `${key}${suffix}`, label: `${label}${words}`, unit },
      (round) => figureOf(round, arm, figure) - figureOf(round, 'direct', figure),
    );
  return [
    ...added('sidecars', 'addedP50', 'added at p50', 'p50'),
    ...added('sidecars', 'addedP90', 'added at p90', 'p90'),
    ...added('sidecars', 'addedP99', 'added at p99', 'p99'),
    ...added('sdk', 'sdkAddedP50', 'added at p50, SDK', 'p50'),
    ...added('sdk', 'sdkAddedP90', 'added at p90, SDK', 'p90'),
    ...added('sdk', 'sdkAddedP99', 'added at p99, SDK', 'p99'),
    ...added('sidecars', 'addedCpu', 'added CPU', 'cpu', 'µs'),
    ...added('sdk', 'sdkAddedCpu', 'added CPU, SDK', 'cpu', 'µs'),
  ];
}

function latencies({ rounds, group }: Condition) {
  if (kept(rounds).length === 0) return [];
  const middle = (arm: string, figure: string) => over(rounds, (round) => figureOf(round, arm, figure)).median;
  return ids.map((arm) => ({ group, arm, p50: middle(arm, 'p50'), p90: middle(arm, 'p90'), p99: middle(arm, 'p99') }));
}
