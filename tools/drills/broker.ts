import { setTimeout as delay } from 'node:timers/promises';
import { violationsOf, type Shop } from '../../services/_e2e/shop.ts';
import { withShop, type Drill, type DrillDeps, type Figures } from './drill.ts';
import { drawErrands, openOrderBook, runErrand, sideBySide, type Errand, type OrderBook } from './load.ts';

// CI may run on a machine that is much slower than the promise is for.
const sizes = { share: { rounds: 2, drainedInSeconds: 180 }, whole: { rounds: 20, drainedInSeconds: 60 } };
const errandsARound = 40;
const customersAtOnce = 8;
const underWayAtLeast = 10;

/** Slow enough that orders are under way when the broker loses everything. */
const env = { FULFILLMENT_PICK_MS: '2500', FULFILLMENT_PACK_MS: '500' };

/** Rounds alternate between the two. */
const faultOf = (round: number) =>
  round % 2 === 1
    ? { fault: 'FLUSHALL', strike: (shop: Shop) => shop.mesh.flushRedis() }
    : { fault: 'kill -9, data wiped', strike: (shop: Shop) => shop.mesh.killRedis({ wipe: true }) };

/** Round after round in one mesh: trade, the broker loses everything in the midst of it, all orders end. */
export const broker: Drill = {
  name: 'broker',
  proves:
    'When the broker loses everything in the midst of trade, no order is lost, and all are at their end within a minute.',
  run: (size, deps) =>
    withShop(deps, { env }, async (shop) => {
      const { rounds, drainedInSeconds } = sizes[size];
      const errands = drawErrands(deps.seed, rounds * errandsARound);
      const book = openOrderBook(shop);
      const results: Figures[] = [];
      const violations: string[] = [];
      for (let round = 1; round <= rounds; round += 1) {
        const report = (text: string) => deps.report(`round ${round} of ${rounds}, ${text}`);
        const mine = errands.splice(0, errandsARound);
        const { wrong, ...figures } = await strikeOnce(shop, {
          round,
          book,
          errands: mine,
          drainedInSeconds,
          report,
        });
        results.push({ round, ...figures });
        violations.push(...wrong.map((text) => `round ${round}, ${figures.fault}: ${text}`));
      }
      await book.close();
      const longest = Math.max(...results.map(({ secondsToDrain }) => Number(secondsToDrain)));
      const figures = { rounds, orders: rounds * errandsARound, longestSecondsToDrain: longest };
      return { figures, rounds: results, violations };
    }),
};

async function strikeOnce(
  shop: Shop,
  options: {
    round: number;
    book: OrderBook;
    errands: readonly Errand[];
    drainedInSeconds: number;
    report: DrillDeps['report'];
  },
) {
  const { book, errands, drainedInSeconds, report } = options;
  const wrong: string[] = [];
  report('trading');
  let trading = true;
  let done = 0;
  const trade = sideBySide(errands, customersAtOnce, async (errand) => {
    wrong.push(...(await runErrand(shop, errand)));
    done += 1;
  }).finally(() => (trading = false));
  trade.catch(() => undefined); // it is waited for below
  let underWay = 0;
  while (trading && (done < errandsARound / 2 || underWay < underWayAtLeast)) {
    await delay(20);
    underWay = await book.unfinished();
  }
  const { fault, strike } = faultOf(options.round);
  report(fault);
  const struckAt = Date.now();
  await strike(shop);
  await trade;
  await shop.mesh.waitReady(60_000);
  const lookedAt = Date.now();
  report('waiting for the end and auditing');
  const found = await shop.inspect();
  const secondsToDrain = Math.round((lookedAt + found.waitedMs - struckAt) / 100) / 10;
  wrong.push(...violationsOf(found));
  if (underWay < underWayAtLeast) wrong.push(`only ${underWay} orders were under way`);
  if (secondsToDrain > drainedInSeconds) wrong.push(`drained only after ${secondsToDrain} s`);
  return { fault, underWay, secondsToDrain, wrong };
}
