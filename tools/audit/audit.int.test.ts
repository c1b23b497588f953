import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { audit } from './audit.ts';
import type { ClientLogLine } from './client-log.ts';
import { openCounter, type Counter } from './counter.ts';
import { playHistory } from './test-support/history.ts';
import { startSmallMesh, type SmallMesh } from './test-support/small-mesh.ts';

let mesh: SmallMesh;
let lines: ClientLogLine[];
let counter: Counter;
beforeAll(async () => {
  mesh = await startSmallMesh();
  counter = await openCounter(mesh.databases.orders);
  lines = await playHistory(mesh);
  await counter.catchUp();
}, 60_000);
afterAll(async () => {
  await counter.close();
  await mesh.close();
});

async function* all<T>(list: readonly T[]): AsyncGenerator<T> {
  yield* list;
}

describe('audit', () => {
  it('when nothing is wrong, is clean and has looked at rows for every invariant', async () => {
    const report = await audit({
      databases: mesh.databases,
      clientLog: all(lines),
      counters: await counter.counts(),
      drainTimeoutMs: 0,
    });
    expect(
      report.findings.flatMap(({ invariant, violations }) => violations.map((v) => ({ invariant, ...v }))),
    ).toEqual([]);
    expect(report.findings.filter(({ rows }) => rows === 0)).toEqual([]);
    expect(report).toMatchObject({ clean: true, drained: true, open: [], notes: [] });
  });
});
