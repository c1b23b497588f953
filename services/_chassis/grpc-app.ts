import { once } from 'node:events';
import * as grpc from '@grpc/grpc-js';
import { createTokenCheck } from './app-token.ts';
import type { createDispatch } from './call.ts';
import type { Consumer } from './consumer.ts';
import { contextOf, withContext, type CallContext } from './context.ts';
import type { Contract } from './contract.ts';
import { subscribeList } from './http-app.ts';
import { readJson } from './json.ts';
import type { SidecarStreams } from './sidecar-streams.ts';
import { appCallback, loadService, toMessage, withoutNulls, type Rpc } from './proto.ts';

const status = grpc.status;

/**
 * The gRPC side of a service, for its own sidecar only: the contract's rpcs, reached by Dapr's gRPC proxying, and Dapr's
 * app callback service for events, both on one server because a sidecar knows one app port and one protocol.
 */
export function buildGrpcApp(deps: {
  contract: Contract;
  dispatch: ReturnType<typeof createDispatch>;
  consumer?: Consumer | undefined;
  appToken: string;
  /** Called when the sidecar has asked what to subscribe to: from then on it reaches this app. */
  onSubscribed?: () => void;
  /** Ends every stream, and lets none begin: nothing else would, and a server closes only when all calls have ended. */
  stopping?: AbortSignal;
  /** Where its streams are to be ended when the sidecar goes. */
  streams?: SidecarStreams;
  /** How long a stream waits for a reader who is behind, in milliseconds. */
  slowReaderMs?: number;
}): grpc.Server {
  const { contract, dispatch, consumer, slowReaderMs = 10_000 } = deps;
  if (!contract.proto) throw new Error(`the contract of ${contract.service} names no proto`);
  const isSidecar = createTokenCheck(deps.appToken);
  const server = new grpc.Server({ 'grpc.max_receive_message_length': 1 << 20 });

  type Work = (request: unknown, header: Header) => Promise<object>;
  const toAnybody =
    (work: Work) =>
    (call: grpc.ServerUnaryCall<unknown, object>, callback: grpc.sendUnaryData<object>): void => {
      work(withoutNulls(call.request), headerOf(call.metadata)).then(
        (message) => callback(null, message),
        (error: unknown) => callback(error instanceof RpcError ? error : internal()),
      );
    };
  const unary = (work: Work) =>
    toAnybody(async (request, header) => {
      if (!isSidecar(header('dapr-api-token'))) throw new RpcError(status.UNAUTHENTICATED, 'not from the sidecar');
      return work(request, header);
    });

  /** One method's outcome, or the status that a call without one gets. */
  async function outcomeOf(name: string, context: CallContext, header: Header, request: unknown, signal?: AbortSignal) {
    const outcome = await dispatch(name, {
      context,
      callerService: header('dapr-caller-app-id'),
      idempotencyKey: header('idempotency-key'),
      request,
      ...(signal && { signal }),
    });
    if (outcome.kind === 'bad-request') throw new RpcError(status.INVALID_ARGUMENT, outcome.detail);
    if (outcome.kind === 'not-allowed') throw new RpcError(status.PERMISSION_DENIED, 'this caller is not listed');
    if (outcome.kind === 'fault') throw internal();
    return outcome;
  }

  const answered = (name: string) =>
    unary((request, header) => {
      const context = contextOf(header);
      return withContext(context, async () => {
        const outcome = await outcomeOf(name, context, header, request);
        if (outcome.kind === 'answer') return toMessage(outcome.answer);
        throw internal();
      });
    });

  const open = new Set<() => void>();
  deps.stopping?.addEventListener('abort', () => {
    for (const end of open) end();
  });

  /** Takes a stream's next answer only when the last one is on its way, so that a slow reader costs no memory. */
  async function pump(name: string, call: Stream, { signal }: AbortController): Promise<void> {
    const header = headerOf(call.metadata);
    if (!isSidecar(header('dapr-api-token'))) throw new RpcError(status.UNAUTHENTICATED, 'not from the sidecar');
    if (deps.stopping?.aborted) throw new RpcError(status.UNAVAILABLE, 'stopping');
    const arrived = contextOf(header);
    await withContext({ ...arrived, deadline: undefined }, async () => {
      const outcome = await outcomeOf(name, arrived, header, withoutNulls(call.request), signal);
      for await (const answer of outcome.kind === 'answer' ? [outcome.answer] : outcome.answers) {
        if (signal.aborted) break;
        if (call.write(toMessage(answer))) continue;
        const patience = AbortSignal.any([signal, AbortSignal.timeout(slowReaderMs)]);
        await once(call, 'drain', { signal: patience }).catch(() => {
          if (!signal.aborted) throw new RpcError(status.RESOURCE_EXHAUSTED, 'read too slowly');
        });
      }
      signal.throwIfAborted();
    });
  }

  const streamed = (name: string) => (call: Stream) => {
    const stream = new AbortController();
    const end = () => stream.abort(new RpcError(status.UNAVAILABLE, 'stopping'));
    open.add(end);
    const forget = deps.streams?.add(end);
    call.on('cancelled', () => stream.abort());
    void pump(name, call, stream)
      .then(
        () => call.end(),
        (error: unknown) => call.emit('error', error instanceof RpcError ? error : internal()),
      )
      .finally(() => {
        open.delete(end);
        forget?.();
      });
  };

  const own = loadService(contract.proto.file, contract.proto.service);
  const methods = Object.entries(contract.methods).map(([name, { streams = false }]) => {
    const rpc = own[name];
    if (!rpc) throw new Error(`${contract.proto?.service} has no rpc for ${name}`);
    if (rpc.responseStream !== streams) throw new Error(`only one of contract and proto has ${name} as a stream`);
    return [name, streams ? streamed(name) : answered(name)];
  });
  addService(server, own, Object.fromEntries(methods) as grpc.UntypedServiceImplementation);

  const callback = loadService(appCallback.file, appCallback.service);
  addService(server, callback, {
    // daprd asks these two without its token (seen on 1.18.1); they say nothing that is secret.
    listTopicSubscriptions: toAnybody(async () => {
      deps.onSubscribed?.();
      return { subscriptions: consumer ? subscribeList(consumer).map(toSubscription) : [] };
    }),
    listInputBindings: toAnybody(async () => ({ bindings: [] })),
    onTopicEvent: unary(async (request, header) => {
      // daprd's own deliveries never carry a caller; any peer can forge one by proxying to this rpc.
      if (header('dapr-caller-app-id') !== undefined)
        throw new RpcError(status.PERMISSION_DENIED, 'events come from the broker only');
      const event = request as TopicEvent;
      return { status: consumer ? await consumer.deliver(event.topic, toEnvelope(event)) : 'DROP' };
    }),
  });
  return server;
}

type Header = (name: string) => string | undefined;
type Stream = grpc.ServerWritableStream<unknown, object>;

const headerOf =
  (metadata: grpc.Metadata): Header =>
  (name) => {
    const value = metadata.get(name)[0]?.toString();
    // A sidecar that proxies a call adds its own span to the caller's, and the two arrive as one value.
    return name === 'traceparent' ? value?.split(', ').at(-1) : value;
  };

const internal = () => new RpcError(status.INTERNAL, 'internal');

class RpcError extends Error {
  readonly code: grpc.status;
  readonly details: string;
  constructor(code: grpc.status, details: string) {
    super(details);
    this.code = code;
    this.details = details;
  }
}

function addService(server: grpc.Server, rpcs: Record<string, Rpc>, handlers: grpc.UntypedServiceImplementation): void {
  const definition = Object.fromEntries(
    Object.entries(rpcs).map(([name, rpc]) => [
      name,
      {
        path: rpc.path,
        requestStream: false,
        responseStream: rpc.responseStream,
        requestSerialize: (message: object) => rpc.requestSerialize(message),
        requestDeserialize: (bytes: Buffer) => rpc.requestDeserialize(bytes),
        responseSerialize: (message: object) => rpc.responseSerialize(message),
        responseDeserialize: (bytes: Buffer) => rpc.responseDeserialize(bytes),
      },
    ]),
  );
  server.addService(definition, handlers);
}

const toSubscription = (entry: ReturnType<typeof subscribeList>[number]) => ({
  pubsubName: entry.pubsubname,
  topic: entry.topic,
  routes: { default: entry.route },
  deadLetterTopic: entry.deadLetterTopic,
});

/** dapr.proto.runtime.v1.TopicEventRequest, as far as we read it. */
interface TopicEvent {
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly specVersion: string;
  readonly topic: string;
  readonly data?: Buffer;
  readonly extensions?: { fields?: Record<string, { stringValue?: string }> };
}

/** daprd takes a CloudEvent apart for gRPC: data as bytes, and what it does not know by name in `extensions`. */
function toEnvelope(event: TopicEvent): unknown {
  const extensions = Object.entries(event.extensions?.fields ?? {}).map(([name, value]) => [name, value.stringValue]);
  return {
    ...(Object.fromEntries(extensions) as Record<string, unknown>),
    specversion: event.specVersion,
    id: event.id,
    source: event.source,
    type: event.type,
    topic: event.topic,
    data: readJson(event.data?.toString('utf8') ?? ''),
  };
}
