import { setTimeout as delay } from 'node:timers/promises';
import * as grpc from '@grpc/grpc-js';
import type { Transport } from './client.ts';
import { contextHeaders, currentContext, remainingMs } from './context.ts';
import { DependencyError } from './errors.ts';
import { grpcFailure } from './grpc-failure.ts';
import { fromMessage, loadService, type Rpc } from './proto.ts';

/** A channel to a loopback gRPC port. */
export const openChannel = (port: number) =>
  new grpc.Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure(), {
    // A sidecar that restarts is there again in a fraction of a second; gRPC's own back-off would wait for many.
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 500,
    'grpc.enable_retries': 0,
  });

/**
 * Gives a unary call's answer as soon as it is there, whatever its status is and whenever it comes. daprd's proxy hands an
 * answer on before it knows the status, and when its connection is closed between the two, it says nothing more until the
 * caller's deadline, or tries again if it may, so that there is one more answer (seen on 1.18.1,
 * pkg/api/grpc/proxy/handler.go).
 */
const atAnswer =
  (take: (answer: object) => void): grpc.Interceptor =>
  (options, nextCall) => {
    const call = nextCall(options);
    return new grpc.InterceptingCall(call, {
      start(metadata, listener, next) {
        let first: object | undefined;
        next(metadata, {
          // Exactly one parameter each: so grpc-js tells it from a listener that passes everything on itself.
          onReceiveMetadata: (received: grpc.Metadata) => listener.onReceiveMetadata(received),
          onReceiveMessage(message: object | null) {
            if (!first && message) take((first = message));
            call.startRead(); // grpc-js holds the status back until every message is read
          },
          onReceiveStatus(status: grpc.StatusObject) {
            if (first) listener.onReceiveMessage(first);
            listener.onReceiveStatus(status);
          },
        });
      },
    });
  };

// As many and as short as those of `retries.call` in resiliency.yaml.
const mostRetries = 30;
const retryAfterMs = 50;

/**
 * Calls a service's rpcs through Dapr's gRPC proxying, and again while whoever should answer is away: the one layer of retries
 * for gRPC, whose targets have none in resiliency.yaml. When a try of daprd's proxy fails before the request has come to it
 * whole, that try goes on reading the request beside the next one, and the call hangs or gets `unexpected EOF` (seen on 1.18.1,
 * pkg/api/grpc/proxy/handler.go).
 */
export function grpcCalls(
  channel: grpc.Client,
  appId: string,
  proto: { file: string; service: string },
  token: string,
): Transport {
  const rpcs = loadService(proto.file, proto.service);

  function once(rpc: Rpc, request: unknown, headers: Record<string, string>, deadline: number): Promise<unknown> {
    const metadata = new grpc.Metadata();
    const all = { ...contextHeaders(currentContext()), ...headers, 'dapr-app-id': appId, 'dapr-api-token': token };
    for (const [name, value] of Object.entries(all)) metadata.set(name, value);
    return new Promise((resolve, reject) => {
      channel.makeUnaryRequest(
        rpc.path,
        (message: object) => rpc.requestSerialize(message),
        (bytes: Buffer) => rpc.responseDeserialize(bytes),
        request as object,
        metadata,
        { deadline, interceptors: [atAnswer((answer) => resolve(fromMessage(answer)))] },
        (error, message) => {
          if (error || !message) reject(grpcFailure(appId, error, deadline));
        },
      );
    });
  }

  return async (method, request, headers, timeoutMs = 5_000) => {
    const rpc = rpcs[method];
    if (!rpc) throw new Error(`${proto.service} has no rpc for ${method}`);
    const limit = Math.min(timeoutMs, remainingMs() ?? Number.POSITIVE_INFINITY);
    if (limit <= 0) throw new DependencyError(appId, 'deadline');
    const deadline = Date.now() + limit;
    for (let retries = 0; ; retries += 1) {
      try {
        return await once(rpc, request, headers, deadline);
      } catch (error) {
        const isAway = error instanceof DependencyError && error.reason === 'unreachable';
        if (!isAway || retries >= mostRetries || Date.now() + retryAfterMs >= deadline) throw error;
      }
      await delay(retryAfterMs);
    }
  };
}
