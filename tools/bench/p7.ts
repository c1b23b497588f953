import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { daprStore, daprTopic } from './apps/outbox-contract.ts';
import type { Bench } from './bench.ts';
import { cpuOf, cpuOfTree } from './cpu.ts';
import { startBenchMesh, type BenchMesh } from './mesh.ts';
import { VoidRound, figureOf, kept, over, runRounds, thereAndBack, warmUpSeconds, type Round } from './rounds.ts';
import { percentile } from './statistics.ts';
import { figureOver, partsByArm } from './summary.ts';

const rate = 200;
// 5,000 a round and arm, half of them there and half of them back.
const measuredEvents = 2_500;
const warmUpEvents = warmUpSeconds * rate;
const drainSeconds = 30;
const control = { products: 28_600, inventory: 28_601 };

const arms = {
  ours: 'outbox row in the transaction, relay, broker, inbox; catch-up runs beside it as in the mesh',
  dapr: "Dapr's own transactional outbox on the same PostgreSQL (state.postgresql v2), the same broker and the same consumer with its inbox; its internal topic has a component of its own with 400 workers, because each message sleeps there for a second and the default of 10 would let through 10 a second",
};
const ids = Object.keys(arms);
const order = thereAndBack(ids);
const notes = [
  `${rate} events a second, ${measuredEvents * 2} of each arm in a round, after ${warmUpSeconds} s of warm-up at each turn. A latency is the time from the return of the producer's commit to the return of the consumer's. Redis Streams with append-only file, PostgreSQL with fsync.`,
  'The producer itself makes the load, so nothing is pinned; there is no control arm, because two runs of a latency never agree within 3 %. Rounds with steal are noisy.',
];

/** P7: from commit to handled. */
export const p7: Bench = {
  id: 'p7',
  seconds: (rounds) => 25 + rounds * order.length * ((warmUpEvents + measuredEvents) / rate + 1),
  parts: ['node', 'daprd', 'PostgreSQL', 'Redis'],
  async run({ rounds: wanted, say }) {
    const app = (id: keyof typeof control, script: string) => ({
      id,
      script,
      env: { BENCH_CONTROL_PORT: String(control[id]) },
      database: true,
    });
    const mesh = await startBenchMesh(
      [app('products', 'producer.ts'), app('inventory', 'consumer.ts')],
      outboxComponents,
    );
    let turns = 0;
    try {
      const turn = (arm: string) => outboxTurn(mesh, arm, ++turns);
      const rounds = await runRounds({ order, wanted, pinned: false, turn, say });
      const parts = { label: 'CPU time per event, all processes', unit: 'µs', bars: partsByArm(rounds, ids) };
      return { arms, notes, rounds, summary: { figures: figures(rounds), latencies: latencies(rounds), parts } };
    } finally {
      await mesh.stop();
    }
  },
};

function figures(rounds: readonly Round[]) {
  const figure = (key: string, label: string, unit: string, value: (round: Round) => number) =>
    figureOver(rounds, { key, label, unit }, value);
  return [
    ...figure('p50', 'p50', 'ms', (round) => figureOf(round, 'ours', 'p50')),
    ...figure('p99', 'p99', 'ms', (round) => figureOf(round, 'ours', 'p99')),
    ...figure(
      'daprOverOurs',
      "Dapr's / ours at p50",
      'x',
      (one) => figureOf(one, 'dapr', 'p50') / figureOf(one, 'ours', 'p50'),
    ),
    ...figure(
      'daprOverOursP99',
      "Dapr's / ours at p99",
      'x',
      (one) => figureOf(one, 'dapr', 'p99') / figureOf(one, 'ours', 'p99'),
    ),
    ...figure('daprLost', "lost by Dapr's, a turn", 'events', (one) => figureOf(one, 'dapr', 'lost')),
    ...figure('oursLost', 'lost by ours, a turn', 'events', (one) => figureOf(one, 'ours', 'lost')),
  ];
}

function latencies(rounds: readonly Round[]) {
  if (kept(rounds).length === 0) return [];
  const middle = (arm: string, figure: string) => over(rounds, (round) => figureOf(round, arm, figure)).median;
  return ids.map((arm) => ({
    group: '',
    arm,
    p50: middle(arm, 'p50'),
    p90: middle(arm, 'p90'),
    p99: middle(arm, 'p99'),
  }));
}

const times = z.array(z.number());
const handled = z.array(z.tuple([z.number(), z.number()]));

async function outboxTurn(mesh: BenchMesh, arm: string, turn: number): Promise<Record<string, number>> {
  const count = warmUpEvents + measuredEvents;
  const before = cpuByProcess(mesh);
  const query = new URLSearchParams({ arm, turn: String(turn), count: String(count), rate: String(rate) });
  const produced = await fetch(`http://127.0.0.1:${control.products}/?${query.toString()}`);
  if (!produced.ok) throw new VoidRound(`the producer failed: ${(await produced.text()).slice(0, 300)}`);
  const committedAt = times.parse(await produced.json());
  const handledAt = await waitForAll(turn, count);
  const after = cpuByProcess(mesh);
  const latencyOf = (n: number) => ((handledAt.get(n) ?? Number.NaN) - (committedAt[n] ?? Number.NaN)) / 1_000;
  const all = Array.from({ length: measuredEvents }, (_, index) => latencyOf(warmUpEvents + index));
  const arrived = all.filter((latency) => !Number.isNaN(latency));
  if (arrived.length === 0) throw new Error(`no event of ${arm} arrived`);
  const cpu: Record<string, number> = Object.fromEntries(
    Object.entries(after).map(([name, micros]) => [`cpu.${name}`, (micros - (before[name] ?? 0)) / count]),
  );
  return {
    p50: percentile(arrived, 0.5),
    p90: percentile(arrived, 0.9),
    p99: percentile(arrived, 0.99),
    lost: all.length - arrived.length,
    ...cpu,
  };
}

/** When each event of a turn was handled, once all are or none has come for a long time. */
async function waitForAll(turn: number, count: number): Promise<Map<number, number>> {
  const seen = async () => handled.parse(await (await fetch(`http://127.0.0.1:${control.inventory}/${turn}`)).json());
  let last = { size: 0, at: Date.now() };
  for (;;) {
    const found = new Map(await seen());
    if (found.size > last.size) last = { size: found.size, at: Date.now() };
    if (found.size >= count || Date.now() - last.at > drainSeconds * 1_000) return found;
    await delay(250);
  }
}

function cpuByProcess(mesh: BenchMesh): Record<string, number> {
  const [producer, consumer] = [mesh.app('products'), mesh.app('inventory')];
  const servers: Record<string, number> = Object.fromEntries(
    mesh.servers().map(({ name, pid }) => [name, cpuOfTree(pid ?? 0)]),
  );
  return {
    producer: cpuOf(producer.app),
    "producer's sidecar": cpuOf(producer.sidecar),
    consumer: cpuOf(consumer.app),
    "consumer's sidecar": cpuOf(consumer.sidecar),
    ...servers,
  };
}

/** Dapr's outbox: a state store that publishes, and a broker component for its internal topic. */
const outboxComponents = {
  [daprStore]: component(daprStore, 'state.postgresql', 'v2', {
    host: '127.0.0.1',
    port: '25432',
    user: 'postgres', // it makes its own tables, which a service's role may not
    database: 'products',
    sslmode: 'disable',
    password: { secret: 'postgresPassword' },
    maxConns: '10',
    tablePrefix: 'dapr_',
    metadataTableName: 'dapr_metadata',
    outboxPublishPubsub: 'pubsub',
    outboxPublishTopic: daprTopic,
    outboxPubsub: 'outboxpubsub',
  }),
  outboxpubsub: component('outboxpubsub', 'pubsub.redis', 'v1', {
    redisHost: '127.0.0.1:26379',
    redisPassword: { secret: 'redisPassword' },
    concurrency: '400',
    queueDepth: '400',
    processingTimeout: '60s',
  }),
};

function component(
  name: string,
  type: string,
  version: string,
  settings: Readonly<Record<string, string | { readonly secret: string }>>,
): string {
  const metadata = Object.entries(settings).map(([key, value]) =>
    typeof value === 'string'
      ? { name: key, value }
      : { name: key, secretKeyRef: { name: value.secret, key: value.secret } },
  );
  return JSON.stringify({
    apiVersion: 'dapr.io/v1alpha1',
    kind: 'Component',
    metadata: { name },
    spec: { type, version, metadata },
    auth: { secretStore: 'secretstore' },
    scopes: ['products'],
  });
}
