import { ProblemError, type Problem } from '../_chassis/problem.ts';
import type { Refusal } from '../_chassis/contract.ts';
import { DependencyError } from '../_chassis/errors.ts';

const problem = (status: number, code: string, title: string, more: Partial<Problem> = {}): ProblemError =>
  new ProblemError({ status, code, title, ...more });

type FieldErrors = NonNullable<Problem['errors']>;

const soon = { 'retry-after': '1' };

/** Every problem that the public API answers, each made with what is particular to the case. */
export const problems = {
  badRequest: (detail: string) => problem(400, 'bad-request', 'The request cannot be read', { detail }),
  badJson: (detail: string) => problem(400, 'bad-json', 'The body is not usable JSON', { detail }),
  badBody: (errors: FieldErrors) => problem(400, 'bad-body', 'The body is not what is asked for', { errors }),
  badQuery: (errors: FieldErrors) => problem(400, 'bad-query', 'A query parameter is not usable', { errors }),
  badCursor: () => problem(400, 'bad-cursor', 'The cursor is not one that was given out for this list'),
  keyMissing: () => problem(400, 'idempotency-key-missing', 'This request needs the header Idempotency-Key'),
  keyUnusable: () =>
    problem(400, 'idempotency-key-unusable', 'The idempotency key is not usable', {
      detail: 'It is one value of 1 to 255 printable ASCII characters, bare or as a quoted string.',
    }),
  unauthenticated: (reason: 'no-token' | 'bad-token') =>
    problem(401, 'unauthenticated', 'A valid access token is needed', {
      detail: reason === 'no-token' ? 'Send Authorization: Bearer <token>.' : 'The token is not valid, or no longer.',
      headers: {
        'www-authenticate': `Bearer realm="sidecart"${reason === 'no-token' ? '' : ', error="invalid_token"'}`,
      },
    }),
  forbidden: () => problem(403, 'forbidden', 'Your role does not allow this'),
  notFound: (what: string) => problem(404, 'not-found', 'There is nothing here', { detail: `No such ${what}.` }),
  methodNotAllowed: (allow: string) =>
    problem(405, 'method-not-allowed', 'This path has other methods', {
      detail: `It takes ${allow}.`,
      headers: { allow },
    }),
  requestTimeout: () => problem(408, 'request-timeout', 'The request did not arrive in time'),
  orderNotCancellable: (status: string) =>
    problem(409, 'order-not-cancellable', 'The order can no longer be cancelled', { detail: `It is ${status}.` }),
  notEnoughStock: (available: number) =>
    problem(409, 'not-enough-stock', 'There is less than would be taken away', {
      detail: `Available in this warehouse: ${available}.`,
    }),
  keyInProgress: () =>
    problem(409, 'idempotency-key-in-progress', 'A request with this key is still being worked on', { headers: soon }),
  contentTooLarge: (limit: string) => problem(413, 'content-too-large', `The body is larger than ${limit}`),
  uriTooLong: () => problem(414, 'uri-too-long', 'The request target is too long'),
  unsupportedMediaType: (detail: string) =>
    problem(415, 'unsupported-media-type', 'The body has to be JSON', { detail }),
  keyReused: () =>
    problem(422, 'idempotency-key-reused', 'This key was used for another request', {
      detail: 'Send a new key with a new request.',
    }),
  unknownProducts: (errors: FieldErrors) =>
    problem(422, 'unknown-products', 'The catalog does not have all of these products', { errors }),
  headersTooLarge: () => problem(431, 'header-fields-too-large', 'The header fields are too large'),
  internal: () => problem(500, 'internal', 'Something went wrong here'),
  overloaded: (retryAfterMs: number) =>
    problem(503, 'overloaded', 'There is too much to do at the moment', {
      headers: { 'retry-after': String(Math.max(1, Math.ceil(retryAfterMs / 1_000))) },
    }),
  deadlinePassed: () =>
    problem(503, 'deadline-passed', 'This took too long', {
      detail: 'Whether it was done is not known; what carried an Idempotency-Key is safe to repeat with the same one.',
      headers: soon,
    }),
  dependencyUnavailable: (service: string | undefined) =>
    problem(503, 'dependency-unavailable', 'A part of the system is away', {
      ...(service !== undefined && { detail: `Not reached: ${service}.` }),
      headers: soon,
    }),
};

/** The problem that a service's refusal is to the client. */
export function refused(refusal: Refusal): ProblemError {
  switch (refusal.kind) {
    case 'overloaded':
      return problems.overloaded(refusal.retryAfterMs);
    case 'deadline-passed':
      return problems.deadlinePassed();
    case 'unauthenticated':
      return problems.unauthenticated('bad-token');
    case 'forbidden':
      return problems.forbidden();
    case 'key-reused':
      return problems.keyReused();
    case 'in-progress':
      return problems.keyInProgress();
  }
}

const publicServices = new Set(['products', 'inventory', 'orders']);

/** The problem that a failure is to the client: nothing of ours but the public name of the service that is away. */
export function problemOf(error: unknown): Problem {
  if (error instanceof ProblemError) return error.problem;
  if (!(error instanceof DependencyError)) return problems.internal().problem;
  if (error.reason === 'deadline') return problems.deadlinePassed().problem;
  const service = publicServices.has(error.dependency) ? error.dependency : undefined;
  return problems.dependencyUnavailable(service).problem;
}
