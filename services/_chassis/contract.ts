import { z } from 'zod';

/** One method of a service: its name is its path; `reads` says that it changes nothing; `callers` may call it. */
export interface Method<Request extends z.ZodType = z.ZodType, Response extends z.ZodType = z.ZodType> {
  readonly request: Request;
  readonly response: Response;
  readonly reads: boolean;
  readonly callers: readonly string[];
  /** Answers again and again until it ends: each message is an answer. Over gRPC only. */
  readonly streams?: true;
}

/** One event: CloudEvents type, the topic it goes to, and the schema of its data. */
export interface EventDefinition<Data extends z.ZodType = z.ZodType> {
  readonly type: string;
  readonly topic: string;
  readonly data: Data;
}

/** What a service offers, publishes and consumes; the only thing others may import. `proto` makes it a gRPC contract. */
export interface Contract {
  readonly service: string;
  readonly proto?: { readonly file: string; readonly service: string };
  readonly methods: Readonly<Record<string, Method>>;
  /** The secrets it reads beside its database's password; its sidecar gives it no other. */
  readonly secrets?: readonly string[];
  readonly events: Readonly<Record<string, EventDefinition>>;
  /** The topics it consumes, by their producer; the audit looks for their events in its inbox. */
  readonly consumes?: Readonly<Record<string, readonly string[]>>;
}

/** The refusals that every method may answer beside its own: a "no" is an answer, never an error status. */
export const refusal = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('overloaded'), retryAfterMs: z.number().int() }),
  z.object({ kind: z.literal('deadline-passed') }),
  z.object({ kind: z.literal('unauthenticated') }),
  z.object({ kind: z.literal('forbidden') }),
  z.object({ kind: z.literal('key-reused') }),
  z.object({ kind: z.literal('in-progress') }),
]);
export type Refusal = z.infer<typeof refusal>;

/** What a caller of a method gets. */
export type Answer<M extends Method> = z.output<M['response']> | Refusal;
/** What an implementation returns. */
export type Result<M extends Method> = z.input<M['response']> | Refusal;

/** A page of the outbox, ids only; `cursor` is opaque and totally ordered within the topic. */
export const listEvents = {
  request: z.object({
    topic: z.string().max(200),
    after: z.string().regex(/^\d{1,19}:\d{1,18}$/),
    limit: z.number().int().min(1).max(1000),
  }),
  response: z.object({
    kind: z.literal('events'),
    events: z.array(z.object({ id: z.string(), cursor: z.string(), ageMs: z.number() })),
  }),
  reads: true,
} as const;

/** Whole envelopes by id, each as its JSON text. */
export const readEvents = {
  request: z.object({ ids: z.array(z.string().max(100)).min(1).max(100) }),
  response: z.object({ kind: z.literal('envelopes'), envelopes: z.array(z.string()) }),
  reads: true,
} as const;

/** Whether the service can do its work now. */
export const getHealth = {
  request: z.object({}),
  response: z.object({ kind: z.literal('health'), status: z.enum(['healthy', 'unhealthy']) }),
  reads: true,
} as const;

/** The methods that a producer of events offers to `consumers`, and every service to the gateway. */
export const standardMethods = (consumers: readonly string[]) => ({
  listEvents: { ...listEvents, callers: consumers },
  readEvents: { ...readEvents, callers: consumers },
  getHealth: { ...getHealth, callers: ['gateway'] },
});

/** CloudEvents type of an event of ours: `com.sidecart.<service>.<entity>.<past participle>.v<n>`. */
export const eventType = (service: string, name: string, version = 1) => `com.sidecart.${service}.${name}.v${version}`;

/** CloudEvents source of a service. */
export const eventSource = (service: string) => `urn:sidecart:${service}`;
