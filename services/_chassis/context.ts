import { AsyncLocalStorage } from 'node:async_hooks';
import { randomPiece } from './random.ts';

/** What travels with a call (deadline in epoch milliseconds) or, without deadline and token, with an event. */
export interface CallContext {
  readonly requestId: string;
  readonly traceparent: string;
  readonly deadline?: number | undefined;
  readonly authorization?: string | undefined;
}

const storage = new AsyncLocalStorage<CallContext | undefined>();

/** The context of the call or event being worked on, if there is one. */
export const currentContext = (): CallContext | undefined => storage.getStore();

/** Runs `work` so that everything it logs, calls and emits carries `context`. */
export const withContext = <T>(context: CallContext, work: () => T): T => storage.run(context, work);

/** Runs `work` outside the call that set it off, for what serves others too or goes on after the call's end. */
export const withoutContext = <T>(work: () => T): T => storage.run(undefined, work);

/** Milliseconds until the deadline of the current call, or undefined when it has none. */
export function remainingMs(now = Date.now()): number | undefined {
  const deadline = currentContext()?.deadline;
  return deadline === undefined ? undefined : deadline - now;
}

// Printable, so that every transport can carry it on.
const requestIdPattern = /^[\x21-\x7e]{1,128}$/;
const traceparentPattern = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;
const noTrace = '0'.repeat(32);

/**
 * The W3C trace context to work under: the caller's trace with a span of our own, or a new trace when there is none.
 * Dapr hands on an all-zero traceparent where nobody sent one; it counts as none (https://www.w3.org/TR/trace-context/).
 */
export function continueTrace(traceparent: string | undefined): string {
  const match = traceparentPattern.exec(traceparent ?? '');
  const traceId = match?.[1] === undefined || match[1] === noTrace ? randomPiece(16).toString('hex') : match[1];
  return `00-${traceId}-${randomPiece(8).toString('hex')}-${match?.[3] ?? '00'}`;
}

/** The trace id within a traceparent. */
export const traceIdOf = (traceparent: string): string => traceparent.slice(3, 35);

/** The context of a call that just arrived, from its headers or gRPC metadata; a bad deadline counts as none. */
export function contextOf(header: (name: string) => string | undefined): CallContext {
  const traceparent = continueTrace(header('traceparent'));
  const deadline = Number(header('x-deadline'));
  const requestId = header('x-request-id') ?? '';
  return {
    requestId: requestIdPattern.test(requestId) ? requestId : traceIdOf(traceparent),
    traceparent,
    deadline: Number.isSafeInteger(deadline) && deadline > 0 ? deadline : undefined,
    authorization: header('authorization'),
  };
}

/** The context of work that no call waits for, an event or something due: a trace, and no deadline or token. */
export const contextOfTrace = (traceparent: string | null | undefined): CallContext =>
  contextOf((name) => (name === 'traceparent' ? (traceparent ?? undefined) : undefined));

/** The headers that carry a context on to the next service. */
export function contextHeaders(context: CallContext | undefined): Record<string, string> {
  if (!context) return {};
  return {
    traceparent: context.traceparent,
    'x-request-id': context.requestId,
    ...(context.deadline !== undefined && { 'x-deadline': String(context.deadline) }),
    ...(context.authorization !== undefined && { authorization: context.authorization }),
  };
}
