import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLog } from '../_chassis/log.ts';
import { createLots, type Lots } from '../gateway/limit-lots.ts';
import { quotaOf, type Quota } from '../gateway/limit-share.ts';
import { createBudget, type Budget, type Decision } from '../gateway/limits.ts';
import { startTestGateway } from '../gateway/test-gateway.ts';
import { cpuOf } from '../../tools/bench/cpu.ts';
import { homeAt } from '../../tools/mesh/home.ts';
import { newTokens } from '../../tools/mesh/pair.ts';
import { createRedis, type Redis } from '../../tools/mesh/redis.ts';
import { waitUntilReady } from '../../tools/mesh/wait.ts';
import { component, freePort, makeDaprdHome, startDaprd, type Daprd, type DaprdHome } from './daprd.ts';

// Two gateways, each with a sidecar of its own, and one Redis.
let home: DaprdHome;
let redis: Redis;
let daprds: Daprd[];
let gateways: Awaited<ReturnType<typeof startTestGateway>>[];
const log = createLog('gateway', 'silent');
// How the limit is held is asked here; that nobody waits for counters that say nothing, further below.
const patienceMs = 5_000;
const order = quotaOf('order', 50, 100, 'alone');
const read = { read: quotaOf('read', 50, 100, 'alone') };

beforeAll(async () => {
  home = await makeDaprdHome({});
  const [port, password] = [await freePort(), 'only-here'];
  redis = await createRedis({ home: homeAt(home.folder), port, password, onEvent: () => undefined });
  redis.group.start();
  await waitUntilReady([redis.group], { timeoutMs: 30_000 });
  const ratelimits = component('ratelimits', 'bindings.redis', {
    redisHost: `127.0.0.1:${port}`,
    redisPassword: password,
  });
  const secretstore = component('secretstore', 'secretstores.local.file', { secretsFile: '.data/secrets.json' });
  const startPair = async () => {
    const counters: Parameters<typeof createLots>[0]['sidecar'] = {
      invokeBinding: (...args) => {
        if (!daprd) throw new Error('the sidecar has not started yet');
        const [binding, operation, options] = args;
        return daprd.sidecar.invokeBinding(binding, operation, { ...options, timeoutMs: patienceMs });
      },
    };
    const gateway = await startTestGateway({ quotas: read, counters });
    gateway.answer('orders.getOrder', { kind: 'not-found' });
    const daprd: Daprd | undefined = await startDaprd({
      ...{ home, appId: 'gateway', protocol: 'http', appPort: gateway.port, subscribes: false },
      appToken: newTokens().APP_API_TOKEN,
      contract: { service: 'gateway', methods: {}, events: {} },
      components: { ratelimits, secretstore },
    });
    return { gateway, daprd };
  };
  const pairs = [await startPair(), await startPair()];
  daprds = pairs.map(({ daprd }) => daprd);
  gateways = pairs.map(({ gateway }) => gateway);
});
afterAll(async () => {
  await Promise.all(gateways.map((gateway) => gateway.close()));
  await Promise.all(daprds.map((daprd) => daprd.stop()));
  await redis.group.stop();
  await home.remove();
});

const sidecarOf = (gateway: number) => {
  const daprd = daprds[gateway];
  if (!daprd) throw new Error(`there is no sidecar ${gateway}`);
  return daprd.sidecar;
};
const lotsOf = (gateway: number, timeoutMs?: number): Lots =>
  createLots({ sidecar: sidecarOf(gateway), log, ...(timeoutMs !== undefined && { timeoutMs }) });
const budgetsOf = (quota: Quota): Budget[] =>
  [0, 1].map((gateway) => createBudget(quota, { lots: lotsOf(gateway, patienceMs) }));

/** Does it again when this process stood still meanwhile: what was to be asked at a moment was asked at another. */
async function undisturbed(work: (caller: string) => Promise<void>): Promise<void> {
  for (let time = 1; ; time += 1) {
    const lag = monitorEventLoopDelay({ resolution: 5 });
    lag.enable();
    const failed = await work(`caller ${time}`).then(
      () => undefined,
      (error: unknown) => ({ error }),
    );
    lag.disable();
    if (!failed) return;
    if (lag.max < 100e6 || time === 5) throw failed.error;
  }
}

/** Begins just behind the beginning of a window, so that what is expected of one lies in one. */
async function untilWindowBegins({ windowMs }: Quota): Promise<void> {
  await delay(windowMs - (Date.now() % windowMs) + 5);
}

/** Asks so many times at once, each budget in turn. */
const takeAtOnce = (budgets: readonly Budget[], caller: string, count: number): Promise<Decision[]> =>
  Promise.all(
    Array.from({ length: count }, async (_, n) => {
      const decision = await budgets[n % budgets.length]?.take(caller);
      if (!decision) throw new Error('there is no budget');
      return decision;
    }),
  );

/** Asks at a steady rate for some time, each budget in turn; gives how many were allowed. */
async function flood(budgets: readonly Budget[], caller: string, perSecond: number, seconds: number) {
  const started = performance.now();
  const asked: Promise<boolean>[] = [];
  for (let n = 0; n < perSecond * seconds;) {
    const due = ((performance.now() - started) / 1_000) * perSecond;
    for (; n < Math.min(due, perSecond * seconds); n += 1) {
      const taken = Promise.resolve(budgets[n % budgets.length]?.take(caller));
      asked.push(taken.then((decision) => decision?.kind === 'allowed'));
    }
    await delay(2);
  }
  const elapsedMs = performance.now() - started;
  return { allowed: (await Promise.all(asked)).filter(Boolean).length, elapsedMs };
}

describe('two gateways', () => {
  it('when one caller asks ten times as much as he may, they hold one limit within 5 %', () =>
    undisturbed(async (caller) => {
      const budgets = budgetsOf(order);
      await untilWindowBegins(order);
      const { allowed, elapsedMs } = await flood(budgets, caller, 500, 6.1);
      // The burst that fills the first window, and from then on the rate.
      const right = 100 + 0.05 * (elapsedMs - order.windowMs);
      process.stdout.write(`two gateways allowed ${allowed}, right is ${Math.round(right)}\n`);
      expect(allowed).toBeGreaterThanOrEqual(right * 0.95);
      expect(allowed).toBeLessThanOrEqual(right * 1.05);
    }));

  it('when a burst comes through both, it is what it says within 5 %', () =>
    undisturbed(async (caller) => {
      const budgets = budgetsOf(order);
      await untilWindowBegins(order);
      const decisions = await takeAtOnce(budgets, `burst of ${caller}`, 300);
      const allowed = decisions.filter(({ kind }) => kind === 'allowed').length;
      expect(allowed).toBeGreaterThanOrEqual(95);
      expect(allowed).toBeLessThanOrEqual(105);
    }));

  it('when several ask at once, the busy one takes nothing from the others', async () => {
    const budgets = budgetsOf(order);
    const [, ...others] = await Promise.all([
      flood(budgets, 'busy', 500, 4),
      ...['one', 'two', 'three'].map((caller) => flood(budgets, caller, 30, 4)),
    ]);
    expect(others.map(({ allowed }) => allowed)).toEqual([120, 120, 120]);
  });

  it('when clients come over HTTP, both answer for one budget', async () => {
    await untilWindowBegins(read.read);
    const ask = async (n: number) => gateways[n % 2]?.send('GET', '/api/orders/1', 'customer');
    const statuses = (await Promise.all(Array.from({ length: 200 }, (_, n) => ask(n)))).map((answer) => answer?.status);
    const allowed = statuses.filter((status) => status === 404).length;
    expect(statuses.filter((status) => status === 429).length).toBe(200 - allowed);
    expect(allowed).toBeGreaterThanOrEqual(95);
    expect(allowed).toBeLessThanOrEqual(105 + 25); // it may take into the next half second
  });
});

describe('a request', () => {
  /** CPU time of so much work in microseconds for each request, here and in the sidecar with Redis. */
  async function costOf(requests: number, work: () => Promise<unknown>) {
    const pids = [daprds[0]?.pid, redis.group.child('server')?.pid].map((pid) => pid ?? 0);
    const behind = () => pids.reduce((sum, pid) => sum + cpuOf(pid), 0);
    const [hereBefore, behindBefore] = [process.cpuUsage(), behind()];
    await work();
    const { user, system } = process.cpuUsage(hereBefore);
    return { here: (user + system) / requests, behind: (behind() - behindBefore) / requests };
  }

  it('when it is counted, that costs little of a call, and next to nothing for a slow caller or a refusal', async () => {
    const budget = createBudget(order, { lots: lotsOf(0) });
    let callers = 0;
    const busy = async () => {
      for (let n = 0; n < 50; n += 1) await takeAtOnce([budget], `busy ${callers++}`, 100);
    };
    const refused = async () => {
      for (let n = 0; n < 200_000; n += 1) await budget.take(`busy ${callers - 1}`);
    };
    const slow = async () => {
      for (let n = 0; n < 200_000; n += 1) await budget.take(`slow ${n}`);
    };
    const call = async () => {
      for (let n = 0; n < 1_000; n += 1)
        await sidecarOf(0).invokeBinding('ratelimits', 'increment', {
          metadata: { key: 'yardstick', ttlInSeconds: '60' },
          timeoutMs: patienceMs,
        });
    };
    await busy();
    const yardstick = await costOf(1_000, call);
    const oneCall = yardstick.here + yardstick.behind;
    process.stdout.write(`one call of the counters: ${oneCall.toFixed(1)} µs\n`);
    for (const [words, requests, work] of [
      ['counted', 5_000, busy],
      ['refused', 200_000, refused],
      ['slow', 200_000, slow],
    ] as const) {
      const { here, behind } = await costOf(requests, work);
      process.stdout.write(`${words}: ${here.toFixed(1)} µs here, ${behind.toFixed(1)} µs in sidecar and Redis\n`);
      expect(here + behind).toBeLessThan(words === 'counted' ? oneCall : oneCall / 5);
    }
  });
});

describe('a Redis', () => {
  /** How long each of so many requests of different callers waits, in milliseconds; each needs the counters. */
  async function waits(budget: Budget, count: number): Promise<number[]> {
    const found: number[] = [];
    for (let n = 0; n < count; n += 1) {
      const from = performance.now();
      await takeAtOnce([budget], `caller ${n}`, order.lot);
      found.push(performance.now() - from);
    }
    return found;
  }
  const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;

  it('when it takes no more, each gateway goes on alone, and with the other again when it does', async () => {
    const lots = createLots({ sidecar: sidecarOf(0), log });
    const budget = createBudget(order, { lots });
    await redis.command('config set maxmemory 1');
    await waits(budget, 1);
    await expect.poll(() => lots.isAway()).toBe(true);
    expect(await budget.take('while it is full')).toMatchObject({ kind: 'allowed' });
    await redis.command('config set maxmemory 0');
    await expect.poll(() => lots.isAway()).toBe(false);
  });

  it('when it hangs, requests wait for a moment, then not at all, and nobody may sign in', async () => {
    const [open, closed] = [lotsOf(0), lotsOf(1)];
    const [budget, signIn] = [
      createBudget(order, { lots: open }),
      createBudget(quotaOf('sign-in', 2, 60, 'closed'), { lots: closed }),
    ];
    redis.group.signal('server', 'SIGSTOP');
    try {
      const first = await waits(budget, 1);
      expect(first[0]).toBeLessThan(500);
      await expect.poll(() => open.isAway(), { timeout: 3_000 }).toBe(true);
      const later = await waits(budget, 200);
      process.stdout.write(`waited ${first[0]?.toFixed(1)} ms at first, later ${median(later).toFixed(3)} ms\n`);
      expect(median(later)).toBeLessThan(5);
      expect(await signIn.take('somebody')).toMatchObject({ kind: 'closed' });
    } finally {
      redis.group.signal('server', 'SIGCONT');
    }
    await expect.poll(() => open.isAway(), { timeout: 5_000 }).toBe(false);
  });

  it('when it is dead, requests do not wait either', async () => {
    const lots = lotsOf(0);
    const budget = createBudget(order, { lots });
    await redis.group.stop();
    await waits(budget, 1);
    await expect.poll(() => lots.isAway(), { timeout: 3_000 }).toBe(true);
    expect(median(await waits(budget, 200))).toBeLessThan(5);
  });
});
