import { z } from 'zod';
import type { CallOptions, Connect } from '../_chassis/client.ts';
import { refusal, type Contract } from '../_chassis/contract.ts';
import { ProblemError } from '../_chassis/problem.ts';
import type { HttpRequest, Permission } from '../auth/contract.ts';
import { refused, type ProblemCode } from './problems.ts';

/** One route of the public API; everything that is checked before a service is asked follows from it. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** At most one `{parameter}`, an id. */
  readonly path: string;
  readonly does: string;
  /** Who may; a token that is sent has to be good in any case. */
  readonly permission: 'anybody' | 'signed-in' | Permission;
  /** Which of the callers' budgets it is taken from. */
  readonly limit: LimitClass;
  /** The query parameters that are allowed; none without it. */
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  /** The fields that auth reads of a form that is passed on to it; it tells by itself what is wrong with them. */
  readonly form?: z.ZodObject;
  /** The most bytes of a body, 64 KiB without it. */
  readonly bodyLimit?: number;
  /** Only on writes: an optional key is made here when the client sends none. */
  readonly key?: 'optional' | 'required';
  /** A client may keep a copy, and has to ask each time whether it is still good; without it nothing may be kept. */
  readonly cache?: 'revalidate';
  /** Takes `If-Match` with the ETag of a version. */
  readonly condition?: 'version';
  /** Every success, and of a request that is passed on every other answer of auth's, by its status. */
  readonly answers: Readonly<Record<number, RouteAnswer>>;
  /** The problems that do not follow from the rest of the route. */
  readonly problems?: readonly ProblemCode[];
  /** The request is answered by auth as it stands: no token, query, form or key is looked at here. */
  readonly passedOn?: true;
  /** Missing where a handler of its own answers. */
  readonly question?: Question;
}

/** The classes of routes by what they cost: each has a budget of its own for each caller. */
export type LimitClass = 'read' | 'write' | 'order' | 'sign-in';

/** An answer as it is published: the body's schema (none: no body) and the headers that are its own. */
export interface RouteAnswer {
  /** An event stream begins behind the event that `Last-Event-ID` names. */
  readonly body?: z.ZodType | 'event-stream' | 'html' | 'script';
  /** The media type of a body with a schema, where it is not JSON's own. */
  readonly type?: 'application/jwk-set+json';
  readonly headers?: readonly ('location' | 'x-cache' | 'etag' | 'www-authenticate' | 'retry-after')[];
}

/** What a handler is given: everything checked and typed by its route. */
export interface Input<R = Route> {
  /** The path's parameter; empty where there is none. */
  readonly id: string;
  /** The idempotency key of a write; empty on reads. */
  readonly key: string;
  readonly query: R extends { query: infer Q extends z.ZodType } ? z.output<Q> : undefined;
  readonly body: R extends { body: infer B extends z.ZodType } ? z.output<B> : undefined;
  /** The versions that `If-Match` allows; undefined where any is right. */
  readonly versions: R extends { condition: 'version' } ? number[] | undefined : undefined;
  readonly exchange: R extends { passedOn: true } ? HttpRequest : undefined;
  readonly follower: R extends { answers: { 200: { body: 'event-stream' } } } ? Follower : undefined;
}

/** Who follows a stream, and from where. */
export interface Follower {
  /** The last event that he has, 0 for none. */
  readonly after: number;
  /** The subject of his token; undefined without one. */
  readonly subject: string | undefined;
  /** Aborted when he leaves, when the stream has lived long enough, or when the gateway stops. */
  readonly signal: AbortSignal;
}

/** A server-sent event: data becomes JSON. */
export interface ServerEvent {
  readonly id: number;
  readonly event: string;
  readonly data: object;
}

/** What is answered; a body becomes JSON as it stands. */
export interface Reply {
  readonly status: number;
  readonly body?: object;
  /** The version that the body shows; it then has an ETag by which it can be changed on condition. */
  readonly version?: number;
  /** Instead of a body, with its own `content-type`. */
  readonly bytes?: Uint8Array;
  /** Instead of a body; taken one by one, as fast as the client reads. */
  readonly events?: AsyncIterable<ServerEvent>;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
}

/** What one method of a service is asked, and what each of its answers is to the client. */
export interface Question {
  /** `<service>.<method>`, in the order in which they are asked. */
  readonly asks: readonly string[];
  /** Gives the reply, undefined where the answer is only that another question may follow; throws a ProblemError. */
  readonly answerWith: (connect: Connect) => (input: never) => Promise<Reply | undefined>;
}

type MethodName<C extends Contract> = keyof C['methods'] & string;
type Own<C extends Contract, M extends MethodName<C>> = z.output<C['methods'][M]['response']>;
type KindOf<A> = A extends { kind: infer K extends string } ? K : never;

/** The request made of the input, and for each kind of answer what it is to the client. */
interface Asking<C extends Contract, M extends MethodName<C>, I, R> {
  readonly request: (input: I) => z.input<C['methods'][M]['request']>;
  readonly replies: {
    readonly [K in KindOf<Own<C, M>>]: (answer: Extract<Own<C, M>, { kind: K }>, input: I) => R | ProblemError;
  };
}

/** A question before another one: the reply of whatever answer is not a problem is left out. */
export function question<C extends Contract, M extends MethodName<C>, I = Pick<Input, 'id'>>(
  contract: C,
  method: M,
  { request, replies }: Asking<C, M, I, Reply | undefined>,
): Question {
  type Ask = (request: z.input<C['methods'][M]['request']>, options: CallOptions) => Promise<{ kind: string }>;
  const known = new Map<string, (answer: never, input: I) => Reply | undefined | ProblemError>(Object.entries(replies));
  return {
    asks: [`${contract.service}.${method}`],
    answerWith(connect) {
      const ask = connect(contract)[method] as Ask;
      return async (input: I & { key?: string }) => {
        const answer = await ask(request(input), input.key ? { idempotencyKey: input.key } : {});
        const reply = known.get(answer.kind);
        const made = reply ? reply(answer as never, input) : refused(refusal.parse(answer));
        if (made instanceof ProblemError) throw made;
        return made;
      };
    },
  };
}

type Fields<Q, B, V> = ([Q] extends [never] ? object : { query: Q }) &
  ([B] extends [never] ? object : { body: B }) &
  ([V] extends [never] ? object : { condition: V });

/** A route that is one method of a service, asked once `first` has found nothing against it. */
export function route<
  C extends Contract,
  M extends MethodName<C>,
  Q extends z.ZodObject = never,
  B extends z.ZodType = never,
  V extends 'version' = never,
>(
  contract: C,
  method: M,
  row: Omit<Route, 'question' | 'query' | 'body' | 'condition'> & { query?: Q; body?: B; condition?: V } & Asking<
      C,
      M,
      Input<Fields<Q, B, V>>,
      Reply
    > & { first?: Question },
): Route & { question: Question } {
  const { request, replies, first, ...rest } = row;
  const own = question(contract, method, { request, replies });
  return { ...rest, question: first ? inOrder(first, own) : own };
}

const inOrder = (first: Question, second: Question): Question => ({
  asks: [...first.asks, ...second.asks],
  answerWith(connect) {
    const [before, then] = [first.answerWith(connect), second.answerWith(connect)];
    return async (input) => (await before(input)) ?? then(input);
  },
});
