import type { Route } from './contract.ts';
import { catalog, type ProblemCode } from './problems.ts';

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
  const { token, query, body, key, path, problems = [] } = route;
  const when = (holds: boolean, ...codes: ProblemCode[]) => (holds ? codes : []);
  return [
    ...when(true, 'bad-request', 'bad-query', 'unauthenticated', 'request-timeout', 'content-too-large'),
    ...when(true, 'uri-too-long', 'header-fields-too-large', 'internal'),
    ...when(token === 'required', 'forbidden'),
    ...when(query !== undefined && 'cursor' in query.shape, 'bad-cursor'),
    ...when(path.includes('{'), 'not-found'),
    ...when(body !== undefined, 'bad-json', 'bad-body', 'unsupported-media-type'),
    ...when(key === 'required', 'idempotency-key-missing'),
    ...when(key !== undefined, 'idempotency-key-unusable', 'idempotency-key-in-progress', 'idempotency-key-reused'),
    ...when(path.startsWith('/api/'), 'overloaded', 'deadline-passed', 'dependency-unavailable'),
    ...problems,
  ];
}

type HeadersOf = (...names: ('www-authenticate' | 'retry-after')[]) => object;

/** Makes the responses of problems: OpenAPI knows one for each status, and `code` tells those of one status apart. */
export function createRefusals(headersOf: HeadersOf) {
  const responses: Record<string, object> = {};

  function refusalsOf(route: Route): Record<string, object> {
    const codes = problemsOf(route);
    const statuses = [...new Set(codes.map((code) => catalog[code][0]))].sort();
    return Object.fromEntries(
      statuses.map((status) => {
        const own = codes.filter((code) => catalog[code][0] === status);
        const name = own.join('.');
        responses[name] = refusal(status, own, headersOf);
        return [status, { $ref: `#/components/responses/${name}` }];
      }),
    );
  }
  return { refusalsOf, responses };
}

const refusal = (status: number, codes: readonly ProblemCode[], headersOf: HeadersOf) => ({
  description: codes.map((code) => `${code}: ${catalog[code][1]}.`).join(' '),
  headers: headersOf(
    ...(status === 401 ? (['www-authenticate'] as const) : []),
    ...(status === 503 || codes.includes('idempotency-key-in-progress') ? (['retry-after'] as const) : []),
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
