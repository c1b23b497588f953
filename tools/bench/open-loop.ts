import { createServer } from 'node:http';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { listenOn } from '../../services/_chassis/listen.ts';
import { repository } from '../mesh/home.ts';
import { endProcess, inheritedEnvironment, startProcess } from '../mesh/process.ts';
import { UserError } from '../mesh/user-error.ts';
import { findK6 } from '../setup/locate.mjs';
import { coresOf } from './cores.ts';
import { cpuOfAll } from './cpu.ts';
import { VoidRound, measuredSeconds, warmUpSeconds } from './rounds.ts';
import { percentile } from './statistics.ts';
import { cpuFigures } from './turn.ts';

/** One request of an open loop: when it ended, in epoch milliseconds, and how long it took. */
export interface Sent {
  readonly number: number;
  readonly end: number;
  readonly duration: number;
  readonly status: string;
}

const point = z.object({
  metric: z.string(),
  type: z.literal('Point'),
  data: z.object({
    time: z.string(),
    value: z.number(),
    tags: z.object({ scenario: z.string().optional(), number: z.string().optional(), status: z.string().optional() }),
  }),
});

/** Epoch milliseconds of a time stamp, with its digits below a millisecond; Date has none. */
export function preciseTime(stamp: string): number {
  const [, second = '', fraction = '', zone = ''] = /^(.*?)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)$/.exec(stamp) ?? [];
  return Date.parse(second + zone) + Number(`0.${fraction || '0'}`) * 1_000;
}

/** The requests of the scenario `load` and how many it dropped, from k6's JSON output. */
export function parsePoints(output: string): { sent: Sent[]; dropped: number } {
  const lines = output.split('\n').filter((line) => /"metric":"(http_req_duration|dropped_iterations)"/.test(line));
  const points = lines.map((line) => point.safeParse(JSON.parse(line))).flatMap(({ data }) => data ?? []);
  const load = points.filter(({ data }) => data.tags.scenario === 'load');
  return {
    sent: load
      .filter(({ metric }) => metric === 'http_req_duration')
      .map(({ data }) => ({
        number: Number(data.tags.number),
        end: preciseTime(data.time),
        duration: data.value,
        status: data.tags.status ?? '0',
      })),
    dropped: load
      .filter(({ metric }) => metric === 'dropped_iterations')
      .reduce((sum, { data }) => sum + data.value, 0),
  };
}

/**
 * Latencies in milliseconds, each from when its request was due: request n is due n intervals after the first, and the
 * first when the most punctual of all says so.
 */
export function latenciesOf(sent: readonly Sent[], rate: number): number[] {
  const due = ({ number }: Sent) => (number * 1_000) / rate;
  const first = Math.min(...sent.map((one) => one.end - one.duration - due(one)));
  return sent.map((one) => one.end - first - due(one));
}

/** One turn of an open loop by k6: latencies in milliseconds, and CPU time per request of these processes. */
export async function openLoopTurn(options: {
  url: string;
  rate: number;
  pids: Readonly<Record<string, number>>;
  pinned: boolean;
}): Promise<Record<string, number>> {
  const { rate, pids } = options;
  const k6 = findK6();
  if (!k6) throw new UserError('k6 is needed, and none was found. `make bench` builds it.');
  const folder = await mkdtemp(join(tmpdir(), 'sidecart-k6-'));
  const readings = new Map<string, { at: number; cpu: Record<string, number> }>();
  const marks = await listenOn(
    createServer((request, response) => {
      readings.set(request.url ?? '', { at: Date.now(), cpu: cpuOfAll(pids) });
      response.end();
    }),
    0,
  );
  const cores = coresOf(options.pinned ? 'generator' : 'anywhere');
  const output = join(folder, 'points.json');
  const child = startProcess({
    name: 'k6',
    command: 'taskset',
    args: [
      '--cpu-list',
      cores,
      k6.path,
      'run',
      '--quiet',
      '--no-usage-report',
      '--out',
      `json=${output}`,
      'loadtests/open-loop.js',
    ],
    cwd: repository,
    env: {
      ...inheritedEnvironment(),
      TARGET: options.url,
      MARKS: `http://127.0.0.1:${marks.port}`,
      RATE: String(rate),
      WARM_UP: String(warmUpSeconds),
      MEASURED: String(measuredSeconds),
    },
    logFile: join(folder, 'k6.log'),
    mark: 'k6',
    orphanSignal: 'SIGKILL',
  });
  try {
    const exit = await child.exited;
    const [from, to] = [readings.get('/warm'), readings.get('/done')];
    if (exit !== 'exit code 0' || !from || !to)
      throw new Error(`k6 failed (${exit}):\n${await readFile(join(folder, 'k6.log'), 'utf8')}`);
    return figures(parsePoints(await readFile(output, 'utf8')), rate, from, to);
  } finally {
    await endProcess(child, 'SIGKILL', 0);
    await marks.close();
    await rm(folder, { recursive: true });
  }
}

function figures(
  { sent, dropped }: ReturnType<typeof parsePoints>,
  rate: number,
  from: { at: number; cpu: Record<string, number> },
  to: { at: number; cpu: Record<string, number> },
): Record<string, number> {
  if (dropped > 0) throw new VoidRound(`${dropped} iterations were dropped`);
  const bad = sent.filter(({ status }) => status !== '200');
  if (bad.length > 0) throw new VoidRound(`${bad.length} answers other than 200 (${bad[0]?.status ?? ''})`);
  const latencies = latenciesOf(sent, rate).filter((_, index) => (sent[index]?.number ?? 0) >= warmUpSeconds * rate);
  const done = (at: number) => sent.filter(({ end }) => end <= at).length;
  return {
    p50: percentile(latencies, 0.5),
    p90: percentile(latencies, 0.9),
    p99: percentile(latencies, 0.99),
    ...cpuFigures({ done: done(from.at), cpu: from.cpu }, { done: done(to.at), cpu: to.cpu }),
  };
}
