import { z } from 'zod';
import { eventType, standardMethods, type Contract } from '../../../services/_chassis/contract.ts';

/** The n-th event of a turn. */
export const happening = z.object({ turn: z.number().int(), n: z.number().int() });
export type Happening = z.infer<typeof happening>;

/** P7's producer: one event, whose topic is read by one consumer. The names are those of the mesh's components. */
export const producerContract = {
  service: 'products',
  methods: standardMethods(['inventory']),
  events: {
    Happened: { type: eventType('products', 'bench.happened'), topic: 'bench.events', data: happening },
  },
} as const satisfies Contract;

/** Where Dapr's outbox publishes the same event to. */
export const daprTopic = 'bench.dapr-events';
export const daprStore = 'outboxstore';

/** P7's consumer. */
export const consumerContract = {
  service: 'inventory',
  methods: standardMethods([]),
  events: {},
  consumes: { products: [producerContract.events.Happened.topic, daprTopic] },
} as const satisfies Contract;

/** Microseconds of a clock that all processes of the machine share. */
export const sharedClock = (): number => Number(process.hrtime.bigint() / 1_000n);
