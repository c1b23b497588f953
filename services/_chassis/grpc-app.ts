import * as grpc from '@grpc/grpc-js';
import { createTokenCheck } from './app-token.ts';
import type { createDispatch } from './call.ts';
import type { Consumer } from './consumer.ts';
import { contextOf, withContext } from './context.ts';
import type { Contract } from './contract.ts';
import { subscribeList } from './http-app.ts';
import { readJson } from './json.ts';
import { chassisProto, loadService, toMessage, withoutNulls, type Rpc } from './proto.ts';

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
}): grpc.Server {
  const { contract, dispatch, consumer } = deps;
  if (!contract.proto) throw new Error(`the contract of ${contract.service} names no proto`);
  const isSidecar = createTokenCheck(deps.appToken);
  const server = new grpc.Server({ 'grpc.max_receive_message_length': 1 << 20 });

  type Work = (request: unknown, header: (name: string) => string | undefined) => Promise<object>;
  const open =
    (work: Work) =>
    (call: grpc.ServerUnaryCall<unknown, object>, callback: grpc.sendUnaryData<object>): void => {
      const header = (name: string) => call.metadata.get(name)[0]?.toString();
      work(withoutNulls(call.request), header).then(
        (message) => callback(null, message),
        (error: unknown) =>
          callback(error instanceof RpcError ? error : { code: status.INTERNAL, details: 'internal' }),
      );
    };
  const unary = (work: Work) =>
    open(async (request, header) => {
      if (!isSidecar(header('dapr-api-token'))) throw new RpcError(status.UNAUTHENTICATED, 'not from the sidecar');
      return work(request, header);
    });

  const methods = Object.keys(contract.methods).map((name) => [
    name,
    unary((request, header) => {
      const context = contextOf(header);
      return withContext(context, async () => {
        const callerService = header('dapr-caller-app-id');
        const outcome = await dispatch(name, {
          context,
          callerService,
          idempotencyKey: header('idempotency-key'),
          request,
        });
        if (outcome.kind === 'answer') return toMessage(outcome.answer);
        if (outcome.kind === 'bad-request') throw new RpcError(status.INVALID_ARGUMENT, outcome.detail);
        if (outcome.kind === 'not-allowed') throw new RpcError(status.PERMISSION_DENIED, 'this caller is not listed');
        throw new RpcError(status.INTERNAL, 'internal');
      });
    }),
  ]);
  const own = loadService(contract.proto.file, contract.proto.service);
  const missing = Object.keys(contract.methods).filter((name) => !own[name]);
  if (missing.length > 0) throw new Error(`${contract.proto.service} has no rpc for ${missing.join(', ')}`);
  addService(server, own, Object.fromEntries(methods) as Handlers);

  const callback = loadService(
    chassisProto('dapr/proto/runtime/v1/appcallback.proto'),
    'dapr.proto.runtime.v1.AppCallback',
  );
  addService(server, callback, {
    // daprd asks these two without its token (seen on 1.18.1); they say nothing that is secret.
    listTopicSubscriptions: open(async () => {
      deps.onSubscribed?.();
      return { subscriptions: consumer ? subscribeList(consumer).map(toSubscription) : [] };
    }),
    listInputBindings: open(async () => ({ bindings: [] })),
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

class RpcError extends Error {
  readonly code: grpc.status;
  readonly details: string;
  constructor(code: grpc.status, details: string) {
    super(details);
    this.code = code;
    this.details = details;
  }
}

type Handlers = Record<string, grpc.handleUnaryCall<unknown, object>>;

function addService(server: grpc.Server, rpcs: Record<string, Rpc>, handlers: Handlers): void {
  const definition = Object.fromEntries(
    Object.entries(rpcs).map(([name, rpc]) => [
      name,
      {
        path: rpc.path,
        requestStream: false,
        responseStream: false,
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
