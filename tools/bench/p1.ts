import { comparedRounds, type Bench } from './bench.ts';
import { portsOf } from './mesh.ts';
import { runPinnedAndNot } from './pinning.ts';
import { startProcesses } from './processes.ts';
import { figureOf, thereAndBack, turnSeconds, type Round } from './rounds.ts';
import { byPinning, figureOver, partsByArm, type Condition } from './summary.ts';
import { closedLoopTurn } from './turn.ts';

const arms = {
  ours: 'the client of the chassis: typed, answers validated, deadline and trace on',
  sdk: '`DaprClient.invoker` of `@dapr/dapr`, sending the same headers; it has no deadline',
  undici: 'an undici pool by hand, sending the same headers, with no deadline',
  control: 'a second copy of ours',
};
const ids = Object.keys(arms);
const order = thereAndBack(ids);
const notes = [
  'Only the client process counts. 16 calls of 1 KB are open at any time; what answers speaks like a sidecar with an echo behind it, but is a small server on the other core: two real sidecars would take ten times the client’s CPU, and the client would mostly wait. P3 has all of them with real sidecars.',
];

/** P1: CPU time of a client process per call. */
export const p1: Bench = {
  id: 'p1',
  seconds: (rounds) => 10 + (rounds + comparedRounds(rounds)) * order.length * turnSeconds,
  parts: ['node', '@dapr/dapr', 'undici'],
  async run(options) {
    const env = (id: string) => ({ BENCH_ARM: id === 'control' ? 'ours' : id, DAPR_HTTP_PORT: String(portsOf(0).app) });
    const processes = await startProcesses([
      { id: 'stand-in', index: 0, script: 'stand-in.ts' },
      ...ids.map((id, index) => ({ id, index: index + 1, script: 'caller.ts', env: env(id) })),
    ]);
    try {
      const pids = { generator: [processes.pid('stand-in')], underTest: ids.map((id) => processes.pid(id)) };
      const rounds = await runPinnedAndNot(options, pids, {
        order,
        control: { arm: 'control', copyOf: 'ours', figure: 'cpu' },
        turn: (id) => closedLoopTurn(processes.port(id), { client: processes.pid(id) }),
      });
      return { arms, notes, rounds, summary: { figures: byPinning(rounds).flatMap(figures), parts: parts(rounds) } };
    } finally {
      await processes.stop();
    }
  },
};

function figures({ rounds, suffix, words }: Condition) {
  const ratio = (arm: string, of: string) =>
    figureOver(
      rounds,
      { key: `${arm}Over${of[0]?.toUpperCase()}${of.slice(1)}${suffix}`, label: `${arm} / ${of}${words}`, unit: 'x' },
      (round) => figureOf(round, arm, 'cpu') / figureOf(round, of, 'cpu'),
    );
  return [...ratio('sdk', 'ours'), ...ratio('sdk', 'undici'), ...ratio('ours', 'undici')];
}

const parts = (rounds: readonly Round[]) => ({
  label: 'CPU time of the client process per call, pinned',
  unit: 'µs',
  bars: partsByArm(
    rounds.filter(({ pinned }) => pinned),
    ids,
  ),
});
