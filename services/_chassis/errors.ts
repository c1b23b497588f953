/** A part this service depends on is away or did not answer in time: the work is to be tried again, at no one's expense. */
export class DependencyError extends Error {
  override readonly name = 'DependencyError';
  readonly dependency: string;
  readonly reason: 'unreachable' | 'deadline' | 'breaker-open' | 'failed';
  constructor(dependency: string, reason: DependencyError['reason'], options?: { detail?: string; cause?: unknown }) {
    super(`${dependency}: ${reason}${options?.detail === undefined ? '' : ` (${options.detail})`}`, {
      cause: options?.cause,
    });
    this.dependency = dependency;
    this.reason = reason;
  }
}

/** The whole chain of an error's causes as one line, for a log or an inbox row; never for a caller. */
export function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${causeOf(error.cause)}`;
}

const conflictCodes = new Set(['40001', '40P01', '55P03', '23505']);

/**
 * PostgreSQL's serialisation failure, deadlock, lock time-out and unique conflict: another transaction was first, and
 * the same work succeeds when it is done again from the start.
 */
export const isConflict = (error: unknown): boolean => conflictCodes.has(codeOf(error));

/** PostgreSQL's answer to whatever follows a failed statement in its transaction: true of every one, the cause of none. */
export const isConsequence = (error: unknown): boolean => codeOf(error) === '25P02';

const networkCodes = ['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENOTFOUND', 'EAI_AGAIN'];
const driverMessages = /connection (terminated|timeout)|timeout (exceeded|expired)|query read timeout|not queryable/i;

/** True when the failure, or a cause of it, lies in what we depend on: it must not spend a message's failure budget. */
export function isTransient(error: unknown): boolean {
  if (error instanceof DependencyError || isConflict(error)) return true;
  const code = codeOf(error);
  if (/^(08|53|57|58)/.test(code) || code === '25P03') return true; // connection, resources, operator, system; idle in transaction
  if (networkCodes.includes(code)) return true;
  return error instanceof Error && (driverMessages.test(error.message) || isTransient(error.cause));
}

/** True when all connections of the database pool stayed taken: there is more to do than we can, and nothing is broken. */
export const isOverload = (error: unknown): boolean =>
  error instanceof Error && error.message === 'timeout exceeded when trying to connect';

function codeOf(error: unknown): string {
  if (!(error instanceof Error) || !('code' in error)) return '';
  return String(error.code);
}
