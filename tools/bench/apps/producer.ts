import { createServer } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { Pool } from 'undici';
import {
  catchUpEnvironment,
  databaseEnvironment,
  readConfig,
  serviceEnvironment,
} from '../../../services/_chassis/config.ts';
import { continueTrace } from '../../../services/_chassis/context.ts';
import type { Database } from '../../../services/_chassis/database.ts';
import { listenOn } from '../../../services/_chassis/listen.ts';
import { runService } from '../../../services/_chassis/service.ts';
import { daprStore, daprTopic, producerContract, sharedClock, type Happening } from './outbox-contract.ts';
import { z } from 'zod';

// P7's producer commits events at a fixed rate, whatever becomes of those before: by our outbox, or by Dapr's.
const environment = readConfig({
  ...serviceEnvironment,
  ...databaseEnvironment,
  ...catchUpEnvironment,
  BENCH_CONTROL_PORT: z.coerce.number().int(),
});
const { Happened } = producerContract.events;
const sidecar = new Pool(`http://127.0.0.1:${environment.DAPR_HTTP_PORT}`, { connections: 64, pipelining: 1 });

type Commit = (data: Happening, committed: () => void) => Promise<unknown>;

const ours =
  (database: Database): Commit =>
  (data, committed) =>
    database.of('main').transaction(async (tx) => {
      tx.emit(Happened, { subject: String(data.n), tenant: 'main', data });
      tx.afterCommit(committed);
    });

/** The envelope is made to look like ours, so that the same consumer reads it. */
const dapr: Commit = async (data, committed) => {
  const metadata = {
    contentType: 'application/json',
    source: 'urn:sidecart:products',
    type: Happened.type,
    subject: String(data.n),
    tenant: 'main',
  };
  const operation = { operation: 'upsert', request: { key: `${data.turn}-${data.n}`, value: data, metadata } };
  const response = await sidecar.request({
    method: 'POST',
    path: `/v1.0/state/${daprStore}/transaction`,
    headers: {
      'content-type': 'application/json',
      'dapr-api-token': environment.DAPR_API_TOKEN,
      traceparent: continueTrace(undefined),
    },
    body: JSON.stringify({ operations: [operation], metadata }),
  });
  const text = await response.body.text();
  if (response.statusCode !== 204) throw new Error(`${daprTopic}: ${response.statusCode} ${text}`);
  committed();
};

/** When each event was committed; an event that could not be is an error. */
async function produce(commit: Commit, turn: number, count: number, rate: number): Promise<number[]> {
  const committedAt: number[] = [];
  const open: Promise<unknown>[] = [];
  const failures: unknown[] = [];
  const start = performance.now();
  for (let n = 0; n < count;) {
    const due = Math.min(count, Math.floor(((performance.now() - start) / 1_000) * rate) + 1);
    for (; n < due; n++) {
      const own = n;
      const committed = () => void (committedAt[own] = sharedClock());
      // Caught at once: one that fails before all are made would end the process.
      open.push(commit({ turn, n: own }, committed).catch((error: unknown) => failures.push(error)));
    }
    await delay(1);
  }
  await Promise.all(open);
  if (failures.length > 0) throw new Error(`${failures.length} events could not be committed: ${String(failures[0])}`);
  return committedAt;
}

const order = z.object({
  arm: z.enum(['ours', 'dapr']),
  turn: z.coerce.number().int(),
  count: z.coerce.number().int(),
  rate: z.coerce.number(),
});

await runService(producerContract, environment, ({ database }) => ({
  methods: {},
  startWorkers() {
    const commits = { ours: ours(database), dapr };
    const server = createServer((request, response) => {
      const { arm, turn, count, rate } = order.parse(
        Object.fromEntries(new URL(request.url ?? '', 'http://localhost').searchParams),
      );
      produce(commits[arm], turn, count, rate).then(
        (times) => response.end(JSON.stringify(times)),
        (error: unknown) => response.writeHead(500).end(String(error)),
      );
    });
    void listenOn(server, environment.BENCH_CONTROL_PORT);
    return [];
  },
}));
