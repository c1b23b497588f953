/* global __ENV */
// An open loop at a fixed rate over 16 connections: a request starts when it is due, or as soon after that as one of them is
// free. What it measured goes to k6's JSON output; each request carries its number there, so that its latency can be counted
// from when it was due. Who is a second behind at the end gives up, and what is left then are dropped iterations.
import exec from 'k6/execution';
import http from 'k6/http';
import { sleep } from 'k6';

const { TARGET, MARKS, RATE, WARM_UP, MEASURED } = __ENV;
const seconds = Number(WARM_UP) + Number(MEASURED);
const oneMark = (startTime) => ({ executor: 'shared-iterations', vus: 1, iterations: 1, startTime, exec: 'mark' });

export const options = {
  discardResponseBodies: true,
  scenarios: {
    load: {
      executor: 'shared-iterations',
      vus: 16,
      iterations: Number(RATE) * seconds,
      maxDuration: `${seconds + 1}s`,
    },
    // Tell whoever started this when to read the processes' CPU time.
    warm: oneMark(`${WARM_UP}s`),
    done: oneMark(`${seconds}s`),
  },
};

const body = JSON.stringify({ text: 'x'.repeat(1000) });
const headers = { 'content-type': 'application/json' };

export default function () {
  const number = exec.scenario.iterationInTest;
  const early = exec.scenario.startTime + (number * 1000) / Number(RATE) - Date.now();
  if (early > 0) sleep(early / 1000);
  http.post(TARGET, body, { headers, tags: { number: String(number) } });
}

export function mark() {
  http.post(`${MARKS}/${exec.scenario.name}`);
}
