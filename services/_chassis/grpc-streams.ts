import * as grpc from '@grpc/grpc-js';
import type { StreamTransport } from './client.ts';
import { contextHeaders, currentContext, remainingMs } from './context.ts';
import { DependencyError } from './errors.ts';
import { grpcFailure } from './grpc-failure.ts';
import { fromMessage, loadService } from './proto.ts';
import type { SidecarStreams } from './sidecar-streams.ts';

/**
 * Follows a service's stream through Dapr's gRPC proxying. Without `dapr-stream` a time-out of resiliency.yaml would cut it
 * and repeat its messages; with it, policies hold for the handshake alone, and whoever follows resumes by himself.
 */
export function grpcStreams(
  channel: grpc.Client,
  appId: string,
  proto: { file: string; service: string },
  token: string,
  more: { headers?: Readonly<Record<string, string>>; open?: SidecarStreams } = {},
): StreamTransport {
  const rpcs = loadService(proto.file, proto.service);
  return async function* (method, request, { signal, timeoutMs = 5_000 }) {
    const rpc = rpcs[method];
    if (!rpc) throw new Error(`${proto.service} has no rpc for ${method}`);
    const limit = Math.min(timeoutMs, remainingMs() ?? Number.POSITIVE_INFINITY);
    if (limit <= 0) throw new DependencyError(appId, 'deadline');
    if (signal?.aborted) return;
    // Its deadline is the first answer's alone.
    const { 'x-deadline': _, ...context } = contextHeaders(currentContext());
    const metadata = new grpc.Metadata();
    const all = { ...context, ...more.headers, 'dapr-app-id': appId, 'dapr-api-token': token, 'dapr-stream': 'true' };
    for (const [name, value] of Object.entries(all)) metadata.set(name, value);
    const call = channel.makeServerStreamRequest(
      rpc.path,
      (message: object) => rpc.requestSerialize(message),
      (bytes: Buffer) => rpc.responseDeserialize(bytes),
      request as object,
      metadata,
    );
    call.on('error', () => undefined); // the loop below throws it, unless it has been left
    const cancel = () => call.cancel();
    signal?.addEventListener('abort', cancel);
    const forget = more.open?.add(cancel);
    const deadline = Date.now() + limit;
    let answered = false;
    const timer = setTimeout(cancel, limit);
    try {
      for await (const message of call as AsyncIterable<object>) {
        answered = true;
        clearTimeout(timer);
        yield fromMessage(message);
      }
    } catch (error) {
      if (signal?.aborted) return;
      throw grpcFailure(appId, error as grpc.ServiceError, answered ? Number.POSITIVE_INFINITY : deadline);
    } finally {
      clearTimeout(timer);
      forget?.();
      signal?.removeEventListener('abort', cancel);
      cancel();
    }
  };
}
