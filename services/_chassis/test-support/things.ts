import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { Methods } from '../call.ts';
import { eventType, getHealth, type Contract } from '../contract.ts';

const thingId = z.string().min(1).max(64);
const tags = z.array(z.string());
const thing = z.object({ id: thingId, tags, owner: z.string().optional() });

/** A service that exists only in tests: one method that reads, one that writes, one event. */
export const thingsContract = {
  service: 'things',
  secrets: ['aSecret'],
  methods: {
    getHealth: { ...getHealth, callers: ['gateway'] },
    getThing: {
      reads: true,
      callers: ['gateway'],
      request: z.object({ thingId }),
      response: z.discriminatedUnion('kind', [
        z.object({ kind: z.literal('found'), thing }),
        z.object({ kind: z.literal('not-found') }),
      ]),
    },
    keepThing: {
      reads: false,
      callers: ['gateway'],
      request: z.object({ thingId, tags }),
      response: z.object({ kind: z.literal('kept'), by: z.string(), key: z.string() }),
    },
  },
  events: {
    ThingKept: { type: eventType('things', 'thing.kept'), topic: 'things.events', data: z.object({ n: z.number() }) },
  },
} as const satisfies Contract;

/** The same service, but it speaks gRPC, and has a stream. */
export const grpcThingsContract = {
  ...thingsContract,
  methods: {
    ...thingsContract.methods,
    watchThing: {
      reads: true,
      callers: ['gateway'],
      streams: true,
      request: z.object({ thingId }),
      response: z.discriminatedUnion('kind', [
        z.object({ kind: z.literal('tagged'), tag: z.string() }),
        z.object({ kind: z.literal('not-found') }),
      ]),
    },
  },
  proto: { file: fileURLToPath(new URL('./things.proto', import.meta.url)), service: 'sidecart.test.v1.Things' },
} as const satisfies Contract;

export type ThingsMethods = Methods<typeof grpcThingsContract>;

/** Methods that answer from what they were asked; a test replaces those it is about. */
export const thingsMethods = (own: Partial<ThingsMethods> = {}) =>
  ({
    getHealth: async () => ({ kind: 'health', status: 'healthy' }) as const,
    getThing: async ({ thingId: id }) => ({ kind: 'found', thing: { id, tags: ['a', 'b'] } }),
    keepThing: async (_request, { caller, idempotencyKey }) => ({ kind: 'kept', by: caller, key: idempotencyKey }),
    async *watchThing() {
      for (const tag of ['a', 'b']) yield { kind: 'tagged', tag };
    },
    ...own,
  }) satisfies ThingsMethods & Record<string, unknown>;
