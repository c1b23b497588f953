/** A bound on a figure of a record. */
export interface Bound {
  readonly figure: string;
  readonly atMost?: number;
  readonly atLeast?: number;
}

/** What is promised, what it is compared with, and from when on it counts as kept. */
export interface BenchPromise {
  readonly id: string;
  readonly title: string;
  readonly what: string;
  readonly reference: string;
  readonly floor: { readonly words: string; readonly bounds: readonly Bound[] };
  readonly goal: { readonly words: string; readonly bounds: readonly Bound[] };
}

/** The promises that `make bench` measures, in the order of the report. */
export const promises: readonly BenchPromise[] = [
  {
    id: 'p1',
    title: 'The sidecar client',
    what: 'CPU time of a call through our sidecar client, deadline and trace on, against `DaprClient.invoker` of `@dapr/dapr`',
    reference: 'raw undici: 4.5 to 6.5 times less than the SDK',
    floor: { words: '3.5 times less', bounds: [{ figure: 'sdkOverOurs', atLeast: 3.5 }] },
    goal: { words: '5 times less', bounds: [{ figure: 'sdkOverOurs', atLeast: 5 }] },
  },
  {
    id: 'p2',
    title: 'The order handler',
    what: 'CPU time of a full order handler (token, limit, validation, log, metrics, problems; no load shedding yet) as a multiple of a bare Express 5 that parses and validates',
    reference: 'none',
    floor: { words: 'at most 1.5 times', bounds: [{ figure: 'fullOverBare', atMost: 1.5 }] },
    goal: { words: 'at most 1.2 times', bounds: [{ figure: 'fullOverBare', atMost: 1.2 }] },
  },
  {
    id: 'p3',
    title: 'The sidecar tax',
    what: 'Latency that two sidecars add to a call between two Express apps, 300 requests/s, 16 connections, 1 KB',
    reference: "Dapr's own CI: +0.91 / +1.03 / +2.04 ms at p50 / p90 / p99; it fails above +2.0 ms at p90",
    floor: { words: 'p90 at most +2.0 ms', bounds: [{ figure: 'addedP90', atMost: 2 }] },
    goal: {
      words: 'p50 / p90 / p99 at most +0.9 / +1.0 / +2.0 ms',
      bounds: [
        { figure: 'addedP50', atMost: 0.9 },
        { figure: 'addedP90', atMost: 1 },
        { figure: 'addedP99', atMost: 2 },
      ],
    },
  },
  {
    id: 'p4',
    title: 'A shipped order',
    what: 'CPU time per shipped order, of all processes (apps, sidecars, PostgreSQL, broker), near saturation',
    reference: 'DBOS: 450 workflows/s per vCPU (2.2 ms each)',
    floor: { words: 'at most 12 ms', bounds: [{ figure: 'cpuPerOrder', atMost: 12 }] },
    goal: { words: 'at most 6 ms', bounds: [{ figure: 'cpuPerOrder', atMost: 6 }] },
  },
  {
    id: 'p7',
    title: 'The outbox',
    what: "From the producer's commit to the consumer's, 5,000 events at 200/s, with Dapr's own transactional outbox as second arm",
    reference: "Dapr's own outbox: at least 1,000 ms each",
    floor: { words: 'p99 at most 100 ms', bounds: [{ figure: 'p99', atMost: 100 }] },
    goal: {
      words: 'p50 at most 10 ms, p99 at most 50 ms, 20 times quicker',
      bounds: [
        { figure: 'p50', atMost: 10 },
        { figure: 'p99', atMost: 50 },
        { figure: 'daprOverOurs', atLeast: 20 },
      ],
    },
  },
  {
    id: 'p9',
    title: 'Memory and start',
    what: 'Memory of the core mesh after 10 minutes of load; the first order accepted from a cold start',
    reference: 'Online Boutique requests 1,368 MiB; the OpenTelemetry demo limits itself to 3,167 MiB',
    floor: { words: 'at most 1,400 MiB', bounds: [{ figure: 'memory', atMost: 1_400 }] },
    goal: {
      words: 'at most 900 MiB, and 10 s',
      bounds: [
        { figure: 'memory', atMost: 900 },
        { figure: 'firstOrder', atMost: 10 },
      ],
    },
  },
];

export type Verdict = 'met' | 'floor met' | 'missed';

/** What medians say about a promise: all of the goal, at least the floor, or neither; a figure that is missing is an error. */
export function verdictOn(
  promise: BenchPromise,
  figures: readonly { readonly key: string; readonly median: number }[],
): Verdict {
  const holds = ({ figure, atMost = Infinity, atLeast = -Infinity }: Bound) => {
    const found = figures.find(({ key }) => key === figure);
    if (!found) throw new Error(`the record of ${promise.id} has no figure ${figure}`);
    return found.median <= atMost && found.median >= atLeast;
  };
  const goal = promise.goal.bounds.map(holds);
  const floor = promise.floor.bounds.map(holds);
  if (!floor.every(Boolean)) return 'missed';
  return goal.every(Boolean) ? 'met' : 'floor met';
}
