import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { randomNumbers } from '../../services/_e2e/random.ts';
import { violationsOf, type Shop } from '../../services/_e2e/shop.ts';
import { topics } from '../audit/subscriptions.ts';
import { repository } from '../mesh/home.ts';
import { readRunFile, type RunApp } from '../mesh/run-file.ts';
import { createDeliveries, type Deliveries } from './deliveries.ts';
import { withShop, type Drill, type DrillDeps, type DrillResult } from './drill.ts';
import { openFront } from './front.ts';
import { drawErrands, openOrderBook, runErrand, sideBySide, type OrderBook } from './load.ts';

const sizes = { share: { orders: 300 }, whole: { orders: 20_000 } };
const customersAtOnce = 24;
/** Often, for a withdrawal that overtakes its request is what order matters most to. */
const cancelledOneIn = 3;
/** As many as the mesh ends well within its deadlines; beyond it, customers wait. */
const unfinishedAtMost = 300;

/** Trade while a proxy between each sidecar and its app delivers every event again and again, late and in any order. */
export const shuffle: Drill = {
  name: 'shuffle',
  proves:
    'When each event is delivered one to five times and in no order, every order ends as if each had come once and in order.',
  async run(size, deps) {
    const deliveries = createDeliveries(randomNumbers(deps.seed));
    const apps = await consumers();
    const appPorts = Object.fromEntries(apps.map(({ id, ports }) => [id, ports.app + 10_000]));
    const fronts = apps.map((app) => openFront(app, appPorts[app.id] ?? 0, deliveries));
    const close = () => Promise.all(fronts.map((front) => front.close()));
    deps.signal?.addEventListener('abort', () => void close());
    try {
      return await withShop(deps, { appPorts }, async (shop) => {
        const result = await trade(shop, sizes[size].orders, deliveries, deps);
        // The mesh wants all of its ports back when it stops.
        await close();
        return result;
      });
    } finally {
      await close();
    }
  },
};

/** The apps that events are delivered to. */
async function consumers(): Promise<RunApp[]> {
  const names = new Set<string>(topics.flatMap((topic) => topic.consumers));
  const apps = await readRunFile(join(repository, 'dapr-config', 'dapr.yaml'));
  return apps.filter(({ id }) => names.has(id));
}

async function trade(
  shop: Shop,
  orders: number,
  deliveries: Deliveries,
  { seed, report }: DrillDeps,
): Promise<DrillResult> {
  const violations: string[] = [];
  const started = Date.now();
  const book = openOrderBook(shop);
  const crowd = watchCrowd(book);
  let done = 0;
  await sideBySide(drawErrands(seed, orders, cancelledOneIn), customersAtOnce, async (errand) => {
    while (crowd.unfinished() >= unfinishedAtMost) await delay(50);
    violations.push(...(await runErrand(shop, errand)));
    done += 1;
    report(`${done} of ${orders} orders, ${deliveries.figures().deliveries} deliveries`);
  });
  await crowd.stop();
  report('waiting for the end and auditing');
  const limit = Date.now() + 300_000;
  while ((await book.unfinished()) > 0 && Date.now() < limit) await delay(250);
  await deliveries.idle();
  const seconds = Math.round((Date.now() - started) / 1_000);
  violations.push(...violationsOf(await shop.inspect()));
  await book.close();
  const counted = deliveries.figures();
  if (counted.duplicates === 0 || counted.outOfOrder === 0) violations.push('nothing came twice, or all came in order');
  return { figures: { orders, ...counted, seconds }, rounds: [], violations };
}

/** Looks a few times a second how many orders are unfinished. */
function watchCrowd(book: OrderBook): { unfinished: () => number; stop: () => Promise<void> } {
  let unfinished = 0;
  let stopped = false;
  const looking = (async () => {
    while (!stopped) {
      unfinished = await book.unfinished();
      await delay(250);
    }
  })();
  looking.catch(() => undefined); // it is waited for below
  return {
    unfinished: () => unfinished,
    async stop() {
      stopped = true;
      await looking;
    },
  };
}
