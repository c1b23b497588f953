import type * as grpc from '@grpc/grpc-js';
import type { z } from 'zod';
import { refusal, type Answer, type Contract, type Refusal, type listEvents, type readEvents } from './contract.ts';
import { DependencyError } from './errors.ts';
import { grpcCalls, openChannel } from './grpc-calls.ts';
import { grpcStreams } from './grpc-streams.ts';
import { readJson } from './json.ts';
import { createSidecarStreams } from './sidecar-streams.ts';
import type { Sidecar } from './sidecar.ts';
import type { EventLog } from './catch-up.ts';

/**
 * One function a method; it gives the answer, refusals included, and throws DependencyError when there is none. A stream
 * gives one answer after another, as fast as they are taken, and throws when it breaks.
 */
export type Client<C extends Contract> = {
  readonly [M in keyof C['methods'] & string]: C['methods'][M] extends { streams: true }
    ? (request: z.input<C['methods'][M]['request']>, options?: StreamOptions) => AsyncIterable<Answer<C['methods'][M]>>
    : (request: z.input<C['methods'][M]['request']>, options?: CallOptions) => Promise<Answer<C['methods'][M]>>;
};

export interface CallOptions {
  readonly idempotencyKey?: string;
  /** Milliseconds; the current call's deadline cuts it shorter. */
  readonly timeoutMs?: number;
}

export interface StreamOptions {
  /** Ends the stream; what has not been taken by then is dropped. */
  readonly signal?: AbortSignal;
  /** Milliseconds until the first answer; the current call's deadline cuts it shorter. The stream itself has no limit. */
  readonly timeoutMs?: number;
}

/** Makes the typed client of a contract, over HTTP or gRPC as the contract says. */
export type Connect = <C extends Contract>(contract: C) => Client<C>;

/** Carries one call and gives its raw answer. */
export type Transport = (
  method: string,
  request: unknown,
  headers: Record<string, string>,
  timeoutMs?: number,
) => Promise<unknown>;

/** Carries one stream and gives its raw answers. */
export type StreamTransport = (method: string, request: unknown, options: StreamOptions) => AsyncIterable<unknown>;

/** Clients that go through the sidecar's HTTP and gRPC ports. */
export function createConnect(deps: {
  sidecar: Sidecar;
  grpcPort: number;
  apiToken: string;
}): Connect & { close(): void } {
  let channel: grpc.Client | undefined;
  const open = createSidecarStreams(() => deps.sidecar.isGoing());
  const connect = <C extends Contract>(contract: C): Client<C> => {
    if (!contract.proto) return clientOver(contract, httpTransport(deps.sidecar, contract.service));
    channel ??= openChannel(deps.grpcPort);
    const to = [channel, contract.service, contract.proto, deps.apiToken] as const;
    return clientOver(contract, grpcCalls(...to), grpcStreams(...to, { open }));
  };
  return Object.assign(connect, { close: () => channel?.close() });
}

/** The typed client of a contract over any transport; answers are parsed, and an unreadable one is the callee's failure. */
export function clientOver<C extends Contract>(
  contract: C,
  transport: Transport,
  streams: StreamTransport = noStreams,
): Client<C> {
  const read = (name: string, raw: unknown): unknown => {
    const answer = contract.methods[name]?.response.safeParse(raw);
    if (answer?.success) return answer.data;
    const refused = refusal.safeParse(raw);
    if (refused.success) return refused.data;
    const unreadable = { detail: `unreadable answer of ${name}`, cause: answer?.error };
    throw new DependencyError(contract.service, 'failed', unreadable);
  };
  const methods = Object.entries(contract.methods).map(([name, { streams: many }]) => [
    name,
    many
      ? async function* (request: unknown, options: StreamOptions = {}) {
          for await (const raw of streams(name, request, options)) yield read(name, raw);
        }
      : async (request: unknown, options: CallOptions = {}) => {
          const headers = options.idempotencyKey === undefined ? {} : { 'idempotency-key': options.idempotencyKey };
          return read(name, await transport(name, request, headers, options.timeoutMs));
        },
  ]);
  return Object.fromEntries(methods) as Client<C>;
}

const noStreams: StreamTransport = (method) => {
  throw new Error(`${method} is a stream, and this transport carries none`);
};

/** Calls a service's methods through a sidecar's invocation API. */
export const httpTransport =
  (sidecar: Sidecar, service: string): Transport =>
  async (method, request, headers, timeoutMs) => {
    const body = JSON.stringify(request);
    const limit = timeoutMs === undefined ? {} : { timeoutMs };
    const response = await sidecar.invoke(service, `/${method}`, { body, headers, ...limit });
    if (response.status === 200) return readJson(response.body);
    throw new DependencyError(service, 'failed', { detail: `${method} answered ${response.status}` });
  };

/** The two methods by which every producer shows its outbox. */
interface ProducerClient {
  listEvents(page: z.input<typeof listEvents.request>): Promise<z.output<typeof listEvents.response> | Refusal>;
  readEvents(request: z.input<typeof readEvents.request>): Promise<z.output<typeof readEvents.response> | Refusal>;
}

/** A producer's outbox through its client; a refusal counts as the producer being away. */
export function eventLogOf(service: string, client: ProducerClient): EventLog {
  const away = (kind: string) => new DependencyError(service, 'failed', { detail: kind });
  return {
    async list(page) {
      const answer = await client.listEvents(page);
      if (answer.kind !== 'events') throw away(answer.kind);
      return answer.events;
    },
    async read(ids) {
      const answer = await client.readEvents({ ids: [...ids] });
      if (answer.kind !== 'envelopes') throw away(answer.kind);
      return answer.envelopes;
    },
  };
}
