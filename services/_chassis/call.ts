import type { Contract, Method, Refusal, Result, standardMethods } from './contract.ts';
import type { CallContext } from './context.ts';
import { isInScope, type Authenticate, type Principal } from './identity.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';
import { DependencyError, isOverload } from './errors.ts';
import type { z } from 'zod';

/** The tenant of calls without a token. */
export const publicTenant = 'main';

/** Who calls a method, and under which key. `caller` is the token's subject, else the calling service. */
export interface Call {
  readonly tenant: string;
  readonly caller: string;
  readonly principal: Principal | undefined;
  readonly idempotencyKey: string;
}

/** A call that is answered by a stream; aborted when nobody reads it any more, or when this process is told to stop. */
export interface StreamCall extends Call {
  readonly signal: AbortSignal;
}

/** A service's own methods, each given the parsed request and the call; the chassis adds the standard ones. */
export type Methods<C extends Contract> = {
  readonly [M in Exclude<keyof C['methods'], keyof ReturnType<typeof standardMethods>>]: C['methods'][M] extends {
    streams: true;
  }
    ? (request: z.output<C['methods'][M]['request']>, call: StreamCall) => AsyncIterable<Result<C['methods'][M]>>
    : (request: z.output<C['methods'][M]['request']>, call: Call) => Promise<Result<C['methods'][M]>>;
};

/** Any method as the chassis runs it. */
export type Implementation = (
  request: never,
  call: StreamCall,
) => Promise<{ kind: string }> | AsyncIterable<{ kind: string }>;

/** What a call is before its request is parsed, however it came. */
export interface Arrival {
  readonly context: CallContext;
  readonly callerService: string | undefined;
  readonly idempotencyKey: string | undefined;
  readonly request: unknown;
  /** Only where the transport can carry a stream. */
  readonly signal?: AbortSignal;
}

/** What a transport makes of a call: an answer, or a fault of the caller's or of ours. */
export type Outcome =
  | { kind: 'answer'; answer: { kind: string } }
  | { kind: 'stream'; answers: AsyncIterable<{ kind: string }> }
  | { kind: 'bad-request'; detail: string }
  | { kind: 'not-allowed' }
  | { kind: 'fault' };

const longestTimerMs = 2 ** 31 - 1; // Node fires a longer one at once
const keyPattern = /^[\x20-\x7e]{1,255}$/;

/**
 * Runs one method for either transport: refuses work whose deadline has passed, callers that the contract does not list
 * and tokens that don't hold or are not for this (what reads wants the scope `read`, the rest `write`), parses the
 * request, and turns what is thrown into a bare fault. Work stops being waited for at its deadline, and then answers
 * `deadline-passed`. A stream is checked like any call; from then on its answers come for as long as they are read.
 */
export function createDispatch(deps: {
  contract: Contract;
  methods: Readonly<Record<string, Implementation>>;
  authenticate: Authenticate;
  log: Log;
  metrics: Metrics;
}): (name: string, arrival: Arrival) => Promise<Outcome> {
  const { contract, log, metrics } = deps;
  const streaming = Object.keys(contract.methods).filter((name) => contract.methods[name]?.streams);
  if (!contract.proto && streaming.length > 0)
    throw new Error(`${contract.service} speaks HTTP, which carries no stream: ${streaming.join(', ')}`);

  async function run(name: string, method: Method, arrival: Arrival): Promise<Outcome> {
    const { context, callerService } = arrival;
    if (callerService === undefined || !method.callers.includes(callerService)) return { kind: 'not-allowed' };
    if (context.deadline !== undefined && context.deadline <= Date.now()) return answer({ kind: 'deadline-passed' });
    const principal = await deps.authenticate(context.authorization).catch(away);
    if (principal === 'away') return answer({ kind: 'overloaded', retryAfterMs: 1_000 });
    if (principal === 'invalid') return answer({ kind: 'unauthenticated' });
    if (!isInScope(principal, method.reads)) return answer({ kind: 'forbidden' });
    const request = method.request.safeParse(arrival.request);
    if (!request.success) {
      return {
        kind: 'bad-request',
        detail: request.error.issues.map((i) => `/${i.path.join('/')}: ${i.message}`).join('; '),
      };
    }
    const key = arrival.idempotencyKey ?? '';
    if (!method.reads && !keyPattern.test(key))
      return { kind: 'bad-request', detail: 'idempotency-key: missing or unusable' };
    const call: Call = {
      tenant: principal?.tenant ?? publicTenant,
      caller: principal?.subject ?? callerService,
      principal,
      idempotencyKey: key,
    };
    const implementation = deps.methods[name];
    if (!implementation) return { kind: 'fault' };
    const signal = arrival.signal ?? new AbortController().signal;
    const work = implementation(request.data as never, { ...call, signal });
    if (Symbol.asyncIterator in work) return { kind: 'stream', answers: tell(name, work) };
    return answer(await (context.deadline === undefined ? work : untilDeadline(work, context.deadline)));
  }

  /** A stream's answers, told about when it ends; what its work throws is a refusal, or leaves as a failure. */
  async function* tell(name: string, answers: AsyncIterable<{ kind: string }>): AsyncGenerator<{ kind: string }> {
    const started = performance.now();
    let given = 0;
    metrics.streamsOpen.inc({ method: name });
    try {
      for await (const one of answers) {
        given += 1;
        yield one;
      }
    } catch (error) {
      const refusal = refusalFor(error);
      if (!refusal) {
        log.error({ method: name, err: error }, 'method failed');
        throw error;
      }
      yield refusal;
    } finally {
      metrics.streamsOpen.dec({ method: name });
      log.info({ method: name, answers: given, durationMs: Math.round(performance.now() - started) }, 'stream ended');
    }
  }

  return async (name, arrival) => {
    // The name is the caller's: every object has a `constructor`.
    const method = Object.hasOwn(contract.methods, name) ? contract.methods[name] : undefined;
    if (!method) return { kind: 'bad-request', detail: `no method ${name}` };
    const started = performance.now();
    const outcome = await run(name, method, arrival).catch((error: unknown): Outcome => {
      const refusal = refusalFor(error);
      if (refusal) return answer(refusal);
      log.error({ method: name, err: error }, 'method failed');
      return { kind: 'fault' };
    });
    const seconds = (performance.now() - started) / 1_000;
    const kind = outcome.kind === 'answer' ? outcome.answer.kind : outcome.kind;
    metrics.methodDuration.observe({ method: name, answer: kind }, seconds);
    log.info({ method: name, answer: kind, durationMs: Math.round(seconds * 1e5) / 100 }, 'method answered');
    return outcome;
  };
}

/** Whose key nobody can look up now is to come again: a failure would open the breaker for everybody else. */
function away(error: unknown): 'away' {
  if (error instanceof DependencyError) return 'away';
  throw error;
}

function refusalFor(error: unknown): Refusal | undefined {
  if (error instanceof DependencyError && error.reason === 'deadline') return { kind: 'deadline-passed' };
  // A failure would count for the callers' breakers, and these are not for floods.
  if (isOverload(error)) return { kind: 'overloaded', retryAfterMs: 1_000 };
  return undefined;
}

const answer = (value: { kind: string } | Refusal): Outcome => ({ kind: 'answer', answer: value });

async function untilDeadline<T>(work: Promise<T>, deadline: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const passed = new Promise<never>((_, reject) => {
    const left = Math.min(deadline - Date.now(), longestTimerMs);
    timer = setTimeout(() => reject(new DependencyError('own work', 'deadline')), Math.max(0, left));
  });
  try {
    return await Promise.race([work, passed]);
  } finally {
    clearTimeout(timer);
    work.catch(() => undefined); // it may still fail after nobody waits for it
  }
}
