import { generateSigningKey, signToken } from '../../services/_chassis/test-support/issuer.ts';
import { orderRequest } from './apps/order.ts';
import { comparedRounds, type Bench } from './bench.ts';
import { portsOf } from './mesh.ts';
import { runPinnedAndNot } from './pinning.ts';
import { startProcesses, type Processes } from './processes.ts';
import { figureOf, thereAndBack, turnSeconds } from './rounds.ts';
import { byPinning, figureOver, partsByArm, type Condition } from './summary.ts';
import { closedLoopTurn } from './turn.ts';

const arms = {
  bare: 'Express 5 with its JSON parser and the same zod schema, answering the same bytes',
  full: "the gateway's own app with its route for placing orders; the order service's client answers in the process",
  control: 'a second copy of the bare one',
};
const ids = Object.keys(arms);
const order = thereAndBack(ids);
const notes = [
  'Only the server process counts; 16 connections place one order after another, each with a checked token, a permit of its caller’s limit and a key of its own. The full arm logs to a file, as in the mesh. Load shedding is not part of it yet.',
];

/** P2: CPU time of a server process per order. */
export const p2: Bench = {
  id: 'p2',
  seconds: (rounds) => 10 + (rounds + comparedRounds(rounds)) * order.length * turnSeconds,
  parts: ['node', 'express', 'zod', 'pino', 'jose'],
  async run(options) {
    const { privateKey, verificationKeys } = await generateSigningKey();
    const token = await signToken(privateKey, { sub: '1', roles: ['customer'], lifetime: 24 * 3_600 });
    const servers = ids.map((id, index) => ({
      id,
      index,
      script: id === 'full' ? 'full-handler.ts' : 'bare-handler.ts',
      env: { BENCH_VERIFICATION_KEYS: verificationKeys, LOG_LEVEL: 'info' },
    }));
    const clients = ids.map((id, index) => ({
      id: `${id} client`,
      index: ids.length + index,
      script: 'orderer.ts',
      env: { BENCH_TARGET_PORT: String(portsOf(index).app), BENCH_TOKEN: token },
    }));
    const processes = await startProcesses([...servers, ...clients]);
    try {
      await requireSameAnswers(processes, token);
      const pids = {
        generator: clients.map(({ id }) => processes.pid(id)),
        underTest: ids.map((id) => processes.pid(id)),
      };
      const rounds = await runPinnedAndNot(options, pids, {
        order,
        control: { arm: 'control', copyOf: 'bare', figure: 'cpu' },
        turn: (id) => closedLoopTurn(processes.port(`${id} client`), { server: processes.pid(id) }),
      });
      const parts = {
        label: 'CPU time of the server process per order, pinned',
        unit: 'µs',
        bars: partsByArm(
          rounds.filter(({ pinned }) => pinned),
          ids,
        ),
      };
      return { arms, notes, rounds, summary: { figures: byPinning(rounds).flatMap(figures), parts } };
    } finally {
      await processes.stop();
    }
  },
};

const figures = ({ rounds, suffix, words }: Condition) =>
  figureOver(
    rounds,
    { key: `fullOverBare${suffix}`, label: `full / bare${words}`, unit: 'x' },
    (round) => figureOf(round, 'full', 'cpu') / figureOf(round, 'bare', 'cpu'),
  );

/** Arms that answer differently are not comparable. */
async function requireSameAnswers(processes: Processes, token: string): Promise<void> {
  const answers = await Promise.all(
    ids.map(async (id) => {
      const response = await fetch(`http://127.0.0.1:${processes.port(id)}/api/orders`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}`, 'idempotency-key': 'first' },
        body: JSON.stringify(orderRequest),
      });
      return `${response.status} ${await response.text()}`;
    }),
  );
  const [first = ''] = answers;
  if (!first.startsWith('201 ') || answers.some((one) => one !== first))
    throw new Error(`the arms answer differently:\n${answers.join('\n')}`);
}
