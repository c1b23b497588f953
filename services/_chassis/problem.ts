/** A problem detail (RFC 9457) as the public API gives it. */
export interface Problem {
  readonly status: number;
  readonly code: string;
  readonly title: string;
  readonly detail?: string;
  readonly errors?: readonly { pointer: string; detail: string }[];
  readonly headers?: Readonly<Record<string, string>>;
}

/** The body of a problem: `type` is `urn:sidecart:problem:<code>`. */
export const problemBody = ({ headers: _, ...problem }: Problem, traceId: string) => ({
  type: `urn:sidecart:problem:${problem.code}`,
  ...problem,
  traceId,
});

/** Thrown where a request turns out to be one that is answered with a problem. */
export class ProblemError extends Error {
  readonly problem: Problem;
  constructor(problem: Problem) {
    super(problem.code);
    this.problem = problem;
  }
}
