import { catalog, type ProblemCode } from './problems.ts';
import type { Route } from './route.ts';

/** What each problem has; `code` is the last part of `type`, and says more than the status. */
export const problemSchema = {
  type: 'object',
  description: 'A problem (RFC 9457).',
  required: ['type', 'status', 'code', 'title', 'traceId'],
  properties: {
    type: { type: 'string', pattern: '^urn:sidecart:problem:' },
    status: { type: 'integer' },
    code: { type: 'string', enum: Object.keys(catalog) },
    title: { type: 'string' },
    detail: { type: 'string' },
    errors: {
      description: 'Each with a pointer (RFC 6901) into the body, or `/<parameter>`.',
      type: 'array',
      items: {
        type: 'object',
        required: ['pointer', 'detail'],
        properties: { pointer: { type: 'string' }, detail: { type: 'string' } },
      },
    },
    traceId: { type: 'string', pattern: '^[0-9a-f]{32}$' },
  },
};

/** Every problem a route can answer; those of the connection itself, and a token that does not hold, can meet any. */
export function problemsOf(route: Route): ProblemCode[] {
  const { method, query, body, key, path, condition, passedOn, problems = [] } = route;
  const when = (holds: boolean, ...codes: ProblemCode[]) => (holds ? codes : []);
  return [
    ...when(true, 'bad-request', 'request-timeout', 'content-too-large'),
    ...when(!passedOn, 'bad-query', 'unauthenticated', 'forbidden'),
    ...when(true, 'uri-too-long', 'header-fields-too-large', 'rate-limited', 'internal', 'dependency-unavailable'),
    ...when(query !== undefined && 'cursor' in query.shape, 'bad-cursor'),
    ...when(path.includes('{'), 'not-found'),
    ...when(body !== undefined, 'bad-json', 'bad-body', 'unsupported-media-type'),
    ...when(key === 'required', 'idempotency-key-missing'),
    ...when(key !== undefined, 'idempotency-key-unusable', 'idempotency-key-in-progress', 'idempotency-key-reused'),
    ...when(condition !== undefined, 'other-version'),
    ...when(passedOn === true && method === 'POST', 'unsupported-media-type'),
    ...when(path.startsWith('/api/') || passedOn === true, 'overloaded', 'deadline-passed'),
    ...problems,
  ];
}

type HeadersOf = (...names: ('www-authenticate' | 'retry-after')[]) => object;

/** A response of OpenAPI. */
export interface Described {
  readonly description: string;
  readonly headers: object;
  readonly content?: object;
}

/** Makes the responses of problems: OpenAPI knows one for each status, and `code` tells those of one status apart. */
export function createRefusals(headersOf: HeadersOf) {
  const responses: Record<string, object> = {};

  /** The responses of a route; where one of its own has a problem's status, either may come. */
  function responsesOf(route: Route, own: Readonly<Record<string, Described>>): Record<string, object> {
    const codes = problemsOf(route);
    const statuses = [...new Set(codes.map((code) => catalog[code][0]))].sort();
    const refused = statuses.map((status): [number, object] => {
      const here = codes.filter((code) => catalog[code][0] === status);
      const [name, problem] = [here.join('.'), refusal(status, here, headersOf)];
      const answer = own[status];
      if (answer) return [status, either(answer, problem)];
      responses[name] = problem;
      return [status, { $ref: `#/components/responses/${name}` }];
    });
    return { ...own, ...Object.fromEntries(refused) };
  }
  return { responsesOf, responses };
}

const either = (one: Described, other: Described): Described => ({
  description: `${one.description} Or ${other.description}`,
  headers: { ...one.headers, ...other.headers },
  content: { ...one.content, ...other.content },
});

const refusal = (status: number, codes: readonly ProblemCode[], headersOf: HeadersOf): Described => ({
  description: codes.map((code) => `${code}: ${catalog[code][1]}.`).join(' '),
  headers: headersOf(
    ...(status === 401 ? (['www-authenticate'] as const) : []),
    ...(status === 429 || status === 503 || codes.includes('idempotency-key-in-progress')
      ? (['retry-after'] as const)
      : []),
  ),
  content: {
    'application/problem+json': {
      schema: {
        allOf: [{ $ref: '#/components/schemas/Problem' }],
        properties: { status: { const: status }, code: { enum: codes } },
      },
    },
  },
});
