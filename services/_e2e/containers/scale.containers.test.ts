import { spawnSync } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { repository } from '../../../tools/mesh/home.ts';
import { containerOf, edgeUrl, logsOf, untilHealthy } from './project.ts';

const healthyMs = 60_000;

function scale(service: string, n: number): void {
  const args = ['tools/compose/scale.ts', `service=${service}`, `n=${n}`];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: repository, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${stdout}${stderr}`);
  expect(stdout).toMatch(new RegExp(`${service} +${n} of ${n} healthy`));
}

/** Reads products, some 40 times a second, until `isEnough` of the answered ones; what was answered, and what failed. */
async function read(isEnough: (answered: number) => boolean) {
  const servedBy = new Map<string, number>();
  const failures: string[] = [];
  const one = async () => {
    try {
      const response = await fetch(`${edgeUrl}/api/products`, { signal: AbortSignal.timeout(10_000) });
      const body = await response.text();
      if (response.status !== 200) failures.push(`${response.status} ${body}`);
      const by = response.headers.get('x-served-by') ?? 'nobody';
      servedBy.set(by, (servedBy.get(by) ?? 0) + 1);
    } catch (error) {
      failures.push(String(error));
    }
  };
  let answered = 0;
  const reader = async () => {
    while (!isEnough(answered)) {
      await one();
      answered += 1;
      await delay(100);
    }
  };
  await Promise.all(Array.from({ length: 4 }, reader));
  return { answered, failures, servedBy };
}

const callsOf = async (service: string, since: number) =>
  (await logsOf(service, since)).split('"method":"listProducts"').length - 1;

describe('three pods of products', () => {
  beforeAll(() => scale('products', 3));
  afterAll(() => scale('products', 1));

  it('when clients read, each of them serves', async () => {
    const since = Date.now();
    const { failures } = await read((answered) => answered >= 300);
    expect(failures).toEqual([]);
    const calls = await Promise.all(['products', 'products-2', 'products-3'].map((name) => callsOf(name, since)));
    expect(calls.map((count) => count > 30)).toEqual([true, true, true]);
  });

  it.each(['products-2', 'products-3-dapr'])('when %s is killed, nobody notices, and it comes back', async (name) => {
    let hasBeenKilled = false;
    let afterwards = 0;
    const reading = read(() => hasBeenKilled && ++afterwards > 200);
    const container = await containerOf(name);
    await delay(500);
    await container.kill();
    hasBeenKilled = true;
    const { failures, answered } = await reading;
    expect(answered).toBeGreaterThan(200);
    expect(failures).toEqual([]);
    // The engine takes a kill for a stop that somebody wanted.
    await container.start();
    const pod = name.replace('-dapr', '');
    await untilHealthy([pod, `${pod}-dapr`], healthyMs);
    const since = Date.now();
    await expect
      .poll(async () => (await read((count) => count >= 20), callsOf(pod, since)), { timeout: 20_000 })
      .toBeGreaterThan(0);
  });
});

describe('two gateways', () => {
  beforeAll(() => scale('gateway', 2));
  afterAll(() => scale('gateway', 1));

  it('when clients read, the edge asks them in turn', async () => {
    // The edge looks for gateways every second.
    await expect
      .poll(async () => [...(await read((count) => count >= 20)).servedBy.keys()].sort(), { timeout: 10_000 })
      .toEqual(['gateway', 'gateway-2']);
    const { failures, servedBy } = await read((answered) => answered >= 100);
    expect(failures).toEqual([]);
    expect([...servedBy.values()].map((count) => count > 30)).toEqual([true, true]);
  });
});
