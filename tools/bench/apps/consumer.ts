import { createServer } from 'node:http';
import { z } from 'zod';
import { eventLogOf } from '../../../services/_chassis/client.ts';
import {
  catchUpEnvironment,
  databaseEnvironment,
  readConfig,
  serviceEnvironment,
} from '../../../services/_chassis/config.ts';
import { on } from '../../../services/_chassis/consumer.ts';
import { listenOn } from '../../../services/_chassis/listen.ts';
import { runService } from '../../../services/_chassis/service.ts';
import { consumerContract, happening, producerContract, sharedClock } from './outbox-contract.ts';

// P7's consumer: the inbox of the chassis and nothing else; it tells when each event of a turn was committed there.
const environment = readConfig({
  ...serviceEnvironment,
  ...databaseEnvironment,
  ...catchUpEnvironment,
  BENCH_CONTROL_PORT: z.coerce.number().int(),
});
const { Happened } = producerContract.events;
const turns = new Map<number, [n: number, at: number][]>();

const handlers = {
  [Happened.type]: on(happening, async (tx, { turn, n }) => {
    tx.afterCommit(() => {
      const handled = turns.get(turn) ?? [];
      turns.set(turn, handled);
      handled.push([n, sharedClock()]);
    });
  }),
};
const source = producerContract.service;
const subscriptions = consumerContract.consumes[source].map((topic) => ({ source, topic, handlers }));

await runService(consumerContract, environment, ({ connect }) => ({
  methods: {},
  subscriptions,
  eventLogs: () => ({ products: eventLogOf('products', connect(producerContract)) }),
  startWorkers() {
    const server = createServer((request, response) => {
      response.end(JSON.stringify(turns.get(Number(request.url?.slice(1))) ?? []));
    });
    void listenOn(server, environment.BENCH_CONTROL_PORT);
    return [];
  },
}));
