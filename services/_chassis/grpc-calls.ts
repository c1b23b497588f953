import * as grpc from '@grpc/grpc-js';
import type { Transport } from './client.ts';
import { contextHeaders, currentContext, remainingMs } from './context.ts';
import { DependencyError } from './errors.ts';
import { grpcFailure } from './grpc-failure.ts';
import { fromMessage, loadService } from './proto.ts';

/** A channel to a loopback gRPC port. */
export const openChannel = (port: number) =>
  new grpc.Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure(), {
    // A sidecar that restarts is there again in a fraction of a second; gRPC's own back-off would wait for many.
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 500,
    'grpc.enable_retries': 0,
  });

/**
 * Gives the answer of the try that ended well. When a sidecar leaves between an answer and its status, daprd has handed the
 * answer on already and tries again (pkg/api/grpc/proxy/handler.go), so there is one more; and @grpc/grpc-js, which reads
 * one message of a unary call, holds its status back until all are read: the call would hang until its deadline.
 */
const lastAnswer: grpc.Interceptor = (options, nextCall) => {
  const call = nextCall(options);
  return new grpc.InterceptingCall(call, {
    start(metadata, listener, next) {
      let last: unknown;
      next(metadata, {
        // Exactly one parameter each: so grpc-js tells it from a listener that passes everything on itself.
        onReceiveMetadata: (received: grpc.Metadata) => listener.onReceiveMetadata(received),
        onReceiveMessage(message: unknown) {
          last = message;
          call.startRead();
        },
        onReceiveStatus(status: grpc.StatusObject) {
          if (last !== undefined) listener.onReceiveMessage(last);
          listener.onReceiveStatus(status);
        },
      });
    },
  });
};

/** Calls a service's rpcs through Dapr's gRPC proxying. */
export function grpcCalls(
  channel: grpc.Client,
  appId: string,
  proto: { file: string; service: string },
  token: string,
): Transport {
  const rpcs = loadService(proto.file, proto.service);
  return (method, request, headers, timeoutMs = 5_000) => {
    const rpc = rpcs[method];
    if (!rpc) throw new Error(`${proto.service} has no rpc for ${method}`);
    const limit = Math.min(timeoutMs, remainingMs() ?? Number.POSITIVE_INFINITY);
    if (limit <= 0) return Promise.reject(new DependencyError(appId, 'deadline'));
    const metadata = new grpc.Metadata();
    const all = { ...contextHeaders(currentContext()), ...headers, 'dapr-app-id': appId, 'dapr-api-token': token };
    for (const [name, value] of Object.entries(all)) metadata.set(name, value);
    const deadline = Date.now() + limit;
    return new Promise((resolve, reject) => {
      channel.makeUnaryRequest(
        rpc.path,
        (message: object) => rpc.requestSerialize(message),
        (bytes: Buffer) => rpc.responseDeserialize(bytes),
        request as object,
        metadata,
        { deadline, interceptors: [lastAnswer] },
        (error, message) => {
          if (error || !message) reject(grpcFailure(appId, error, deadline));
          else resolve(fromMessage(message));
        },
      );
    });
  };
}
