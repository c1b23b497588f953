import { ProblemError, type Problem } from '../_chassis/problem.ts';
import type { Refusal } from '../_chassis/contract.ts';
import { DependencyError } from '../_chassis/errors.ts';

/** Every problem that the public API answers, by its code: status and title. */
export const catalog = {
  'bad-request': [400, 'The request cannot be read'],
  'bad-json': [400, 'The body is not usable JSON'],
  'bad-body': [400, 'The body is not what is asked for'],
  'bad-query': [400, 'A query parameter is not usable'],
  'bad-cursor': [400, 'The cursor is not one that was given out for this list'],
  'bad-event-id': [400, 'Last-Event-ID is not one that was given out for this stream'],
  'idempotency-key-missing': [400, 'This request needs the header Idempotency-Key'],
  'idempotency-key-unusable': [400, 'The idempotency key is not usable'],
  unauthenticated: [401, 'A valid access token is needed'],
  forbidden: [403, 'Your role or your token does not allow this'],
  'not-found': [404, 'There is nothing here'],
  'method-not-allowed': [405, 'This path has other methods'],
  'request-timeout': [408, 'The request did not arrive in time'],
  'order-not-cancellable': [409, 'The order can no longer be cancelled'],
  'not-enough-stock': [409, 'There is less than would be taken away'],
  'tenant-taken': [409, 'There is a tenant of this id'],
  'last-admin': [409, 'A tenant keeps at least one admin'],
  'idempotency-key-in-progress': [409, 'A request with this key is still being worked on'],
  'other-version': [412, 'It has changed since you read it'],
  'content-too-large': [413, 'The body is too large'],
  'uri-too-long': [414, 'The request target is too long'],
  'unsupported-media-type': [415, 'The body has another form than is taken here'],
  'idempotency-key-reused': [422, 'This key was used for another request'],
  'unknown-products': [422, 'The catalog does not have all of these products'],
  'rate-limited': [429, 'You ask too much at the moment'],
  'too-many-streams': [429, 'You follow too much at once'],
  'header-fields-too-large': [431, 'The header fields are too large'],
  internal: [500, 'Something went wrong here'],
  overloaded: [503, 'There is too much to do at the moment'],
  'deadline-passed': [503, 'This took too long'],
  'dependency-unavailable': [503, 'A part of the system is away'],
} as const satisfies Readonly<Record<string, readonly [status: number, title: string]>>;
export type ProblemCode = keyof typeof catalog;

const problem = (code: ProblemCode, more: Partial<Problem> = {}): ProblemError => {
  const [status, title] = catalog[code];
  return new ProblemError({ status, code, title, ...more });
};

type FieldErrors = NonNullable<Problem['errors']>;

const soon = { 'retry-after': '1' };

/** Every problem that the public API answers, each made with what is particular to the case. */
export const problems = {
  badRequest: (detail: string) => problem('bad-request', { detail }),
  badJson: (detail: string) => problem('bad-json', { detail }),
  badBody: (errors: FieldErrors) => problem('bad-body', { errors }),
  badQuery: (errors: FieldErrors) => problem('bad-query', { errors }),
  badCursor: () => problem('bad-cursor'),
  badEventId: () => problem('bad-event-id', { detail: 'It is a whole number.' }),
  keyMissing: () => problem('idempotency-key-missing'),
  keyUnusable: () =>
    problem('idempotency-key-unusable', {
      detail: 'It is one value of 1 to 255 printable ASCII characters, bare or as a quoted string.',
    }),
  unauthenticated: (reason: 'no-token' | 'bad-token') =>
    problem('unauthenticated', {
      detail: reason === 'no-token' ? 'Send Authorization: Bearer <token>.' : 'The token is not valid, or no longer.',
      headers: {
        'www-authenticate': `Bearer realm="sidecart"${reason === 'no-token' ? '' : ', error="invalid_token"'}`,
      },
    }),
  forbidden: () => problem('forbidden'),
  outOfScope: (scope: 'read' | 'write') =>
    problem('forbidden', {
      detail: `The token is not for this: it lacks the scope ${scope}.`,
      headers: { 'www-authenticate': `Bearer realm="sidecart", error="insufficient_scope", scope="${scope}"` },
    }),
  notFound: (what: string) => problem('not-found', { detail: `No such ${what}.` }),
  methodNotAllowed: (allow: string) =>
    problem('method-not-allowed', {
      detail: `It takes ${allow}.`,
      headers: { allow },
    }),
  requestTimeout: () => problem('request-timeout'),
  orderNotCancellable: (status: string) => problem('order-not-cancellable', { detail: `It is ${status}.` }),
  notEnoughStock: (available: number) =>
    problem('not-enough-stock', {
      detail: `Available in this warehouse: ${available}.`,
    }),
  tenantTaken: () => problem('tenant-taken', { detail: 'Choose another id.' }),
  lastAdmin: () => problem('last-admin', { detail: 'Make somebody else an admin first.' }),
  keyInProgress: () => problem('idempotency-key-in-progress', { headers: soon }),
  otherVersion: (version: number) => problem('other-version', { detail: `Its version is ${version}.` }),
  contentTooLarge: (limit: string) => problem('content-too-large', { detail: `It is larger than ${limit}.` }),
  uriTooLong: () => problem('uri-too-long'),
  unsupportedMediaType: (detail: string) => problem('unsupported-media-type', { detail }),
  keyReused: () =>
    problem('idempotency-key-reused', {
      detail: 'Send a new key with a new request.',
    }),
  unknownProducts: (errors: FieldErrors) => problem('unknown-products', { errors }),
  rateLimited: (detail: string, seconds: number) =>
    problem('rate-limited', { detail, headers: { 'retry-after': String(seconds) } }),
  notCounted: () =>
    problem('dependency-unavailable', {
      detail: 'Nobody can sign in at the moment; who is signed in can go on.',
      headers: soon,
    }),
  tooManyStreams: () =>
    problem('too-many-streams', { detail: 'End a stream to begin another.', headers: { 'retry-after': '5' } }),
  headersTooLarge: () => problem('header-fields-too-large'),
  internal: () => problem('internal'),
  overloaded: (retryAfterMs: number) =>
    problem('overloaded', {
      headers: { 'retry-after': String(Math.max(1, Math.ceil(retryAfterMs / 1_000))) },
    }),
  deadlinePassed: () =>
    problem('deadline-passed', {
      detail: 'Whether it was done is not known; what carried an Idempotency-Key is safe to repeat with the same one.',
      headers: soon,
    }),
  dependencyUnavailable: (service: string | undefined) =>
    problem('dependency-unavailable', {
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

const publicServices = new Set(['products', 'inventory', 'orders', 'auth', 'users']);

/** The problem that a failure is to the client: nothing of ours but the public name of the service that is away. */
export function problemOf(error: unknown): Problem {
  if (error instanceof ProblemError) return error.problem;
  if (!(error instanceof DependencyError)) return problems.internal().problem;
  if (error.reason === 'deadline') return problems.deadlinePassed().problem;
  const service = publicServices.has(error.dependency) ? error.dependency : undefined;
  return problems.dependencyUnavailable(service).problem;
}
