import * as grpc from '@grpc/grpc-js';
import { DependencyError } from './errors.ts';

// The deadline travels to daprd, whose clock may strike first: what it then tears down comes back under any code.
const clockSlackMs = 20;

/** What a call over gRPC without an answer is to its caller; `deadline` is in epoch milliseconds. */
export function grpcFailure(appId: string, error: grpc.ServiceError | null, deadline: number): DependencyError {
  const detail = error?.details ?? 'no message';
  const options = { detail: detail.slice(0, 300), cause: error };
  const late = error?.code === grpc.status.DEADLINE_EXCEEDED || Date.now() >= deadline - clockSlackMs;
  if (late) return new DependencyError(appId, 'deadline', options);
  // Over gRPC daprd reports an open breaker as UNKNOWN.
  if (/circuit breaker is open|too many requests/.test(detail))
    return new DependencyError(appId, 'breaker-open', options);
  // An app-id that nobody has is UNKNOWN as well. CANCELLED is daprd's when it tears down a connection that calls share.
  const away =
    error?.code === grpc.status.UNAVAILABLE ||
    error?.code === grpc.status.CANCELLED ||
    detail.includes('no host found');
  return new DependencyError(appId, away ? 'unreachable' : 'failed', options);
}
