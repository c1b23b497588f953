/* global __ENV */
// An open loop at a fixed rate: requests start when they are due, whatever became of those before; at most 16 are open at
// a time, and one that finds no connection free is a dropped iteration. What it measured goes to k6's JSON output; each
// request carries its number there, so that its latency can be counted from when it was due.
import exec from 'k6/execution';
import http from 'k6/http';

const { TARGET, MARKS, RATE, WARM_UP, MEASURED } = __ENV;
const oneMark = (startTime) => ({ executor: 'shared-iterations', vus: 1, iterations: 1, startTime, exec: 'mark' });

export const options = {
  discardResponseBodies: true,
  scenarios: {
    load: {
      executor: 'constant-arrival-rate',
      rate: Number(RATE),
      timeUnit: '1s',
      duration: `${Number(WARM_UP) + Number(MEASURED)}s`,
      preAllocatedVUs: 16,
      maxVUs: 16,
    },
    // Tell whoever started this when to read the processes' CPU time.
    warm: oneMark(`${WARM_UP}s`),
    done: oneMark(`${Number(WARM_UP) + Number(MEASURED)}s`),
  },
};

const body = JSON.stringify({ text: 'x'.repeat(1000) });
const headers = { 'content-type': 'application/json' };

export default function () {
  http.post(TARGET, body, { headers, tags: { number: String(exec.scenario.iterationInTest) } });
}

export function mark() {
  http.post(`${MARKS}/${exec.scenario.name}`);
}
