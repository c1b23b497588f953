import { beforeAll, describe, expect, it } from 'vitest';
import { patient, twoOfEach, untilServing, workOf } from '../../tools/drills/replicas.ts';
import { now, startLoad, type Load, type LoadRequest } from '../../tools/drills/steady-load.ts';
import { openShop, type Shop } from './shop.ts';

// The gateway has one: it is the edge here, and whoever talks to one that is killed sees it.
let shop: Shop;
let load: Load;
beforeAll(async () => {
  shop = await openShop({ replicas: twoOfEach, env: patient });
  load = startLoad({ ada: shop.as('ada'), ben: shop.as('ben'), staff: shop.as('staff') }, 50);
  return async () => {
    await load.stop();
    await shop.close();
  };
});

interface Strike {
  readonly service: string;
  readonly signal: 'SIGTERM' | 'SIGKILL';
  /** Between these the signal was sent. */
  readonly from: number;
  readonly to: number;
}
const strikes: Strike[] = [];

/**
 * Whether one attempt in flight explains a failure: the request went to the killed service, was sent before the kill and
 * had no answer then. A kill excuses no request sent after it, nor one of another service; an orderly end excuses none.
 */
const isExplained = (request: LoadRequest): boolean =>
  strikes.some(
    ({ service, signal, from, to }) =>
      signal === 'SIGKILL' && request.service === service && request.sentAt <= to && request.endedAt >= from,
  );

const unexplained = () => load.requests.filter((request) => request.failure !== undefined && !isExplained(request));

/** Strikes one process of a pair and waits until both replicas serve again. */
async function strike(service: string, replica: number, member: 'app' | 'sidecar', signal: Strike['signal']) {
  const pairName = `${service}-${replica}`;
  const from = now();
  shop.mesh.signal(pairName, member, signal);
  strikes.push({ service, signal, from, to: now() });
  await untilServing(shop.mesh, pairName);
  expect(load.requests.some(({ sentAt }) => sentAt > from)).toBe(true);
}

const members = Object.keys(twoOfEach).flatMap((service) => [[service, 'app'] as const, [service, 'sidecar'] as const]);
const restartsOf = (pairName: string) => shop.mesh.pairs().find(({ name }) => name === pairName)?.restarts;

describe('two of each service, at 50 requests a second', () => {
  it.each(Object.keys(twoOfEach))('when nothing is struck, work reaches both of %s', async (service) => {
    for (const replica of [0, 1]) await untilServing(shop.mesh, `${service}-${replica}`);
    const pairs = shop.mesh.pairs().filter((pair) => pair.service === service);
    const work = await Promise.all(pairs.map(workOf));
    expect(work.map(({ calls, events }) => calls + events > 0)).toEqual([true, true]);
    expect(unexplained()).toEqual([]);
  });

  it.each(members)('when one %s %s is told to end, no request fails', async (service, member) => {
    const before = restartsOf(`${service}-0`) ?? 0;
    await strike(service, 0, member, 'SIGTERM');
    expect(restartsOf(`${service}-0`)).toBe(before + 1);
    expect(unexplained()).toEqual([]);
  });

  it.each(members)('when one %s %s is killed, at most what was in flight there fails', async (service, member) => {
    const before = restartsOf(`${service}-1`) ?? 0;
    await strike(service, 1, member, 'SIGKILL');
    expect(restartsOf(`${service}-1`)).toBe(before + 1);
    expect(unexplained()).toEqual([]);
  });

  it('when all that is over, the books are right', async () => {
    await load.stop();
    expect(unexplained()).toEqual([]);
    expect(await shop.audit()).toEqual([]);
  });
});
