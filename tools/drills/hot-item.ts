import { z } from 'zod';
import { uuidv7 } from '../../services/_chassis/uuid.ts';
import { violationsOf, type Shop } from '../../services/_e2e/shop.ts';
import { withShop, type Drill, type DrillDeps, type Figures } from './drill.ts';
import { insist, openOrderBook, sideBySide } from './load.ts';

const sizes = {
  share: { rounds: 1, buyers: 300, units: 10 },
  whole: { rounds: 20, buyers: 10_000, units: 100 },
};
/** Buyers that are being answered at the same moment; the others stand in line for a connection. */
const connections = 100;
const productId = '200';

/** The deadlines would give stock back that a slow machine was about to sell; this is about who gets it. */
const env = { ORDERS_PLACED_DEADLINE_MS: '600000', ORDERS_RESERVED_DEADLINE_MS: '600000' };

/** Many buyers for one product with few units, each a customer of its own; a fresh mesh for each round. */
export const hotItem: Drill = {
  name: 'hot-item',
  proves:
    'When far more buyers want a product than there are units, exactly that many are sold, and everybody else is told no.',
  async run(size, deps) {
    const { rounds, buyers, units } = sizes[size];
    const results: Figures[] = [];
    const violations: string[] = [];
    for (let round = 1; round <= rounds; round += 1) {
      const found = await withShop(deps, { env }, (shop) =>
        sell(shop, { buyers, units, report: (text) => deps.report(`round ${round} of ${rounds}, ${text}`) }),
      );
      results.push({ round, ...found.figures });
      violations.push(...found.violations.map((violation) => `round ${round}: ${violation}`));
    }
    return { figures: { rounds, buyers, units, connections }, rounds: results, violations };
  },
};

async function sell(
  shop: Shop,
  { buyers, units, report }: { buyers: number; units: number; report: DrillDeps['report'] },
): Promise<{ figures: Figures; violations: string[] }> {
  const violations: string[] = [];
  await stockUp(shop, units);
  const book = openOrderBook(shop);
  const before = await book.states();
  const started = Date.now();
  let answered = 0;
  await sideBySide(
    Array.from({ length: buyers }, (_, n) => n),
    connections,
    async (n) => {
      const ask = await shop.customer(`buyer-${n}`);
      const body = { items: [{ productId, quantity: 1 }], paymentToken: 'tok_ok' };
      const { answer } = await insist(ask, { path: '/api/orders', key: uuidv7(), body });
      if (answer.status !== 201) violations.push(`buyer ${n} was answered ${answer.status} ${answer.text}`);
      if ((answered += 1) % 50 === 0) report(`${answered} of ${buyers} answered`);
    },
  );
  const seconds = (Date.now() - started) / 1_000;
  report('waiting for the end and auditing');
  violations.push(...violationsOf(await shop.inspect()));
  const after = await book.states();
  await book.close();
  const ended = (state: string) => (after.get(state) ?? 0) - (before.get(state) ?? 0);
  const [sold, rejected] = [ended('shipped'), ended('rejected')];
  if (sold !== units) violations.push(`${sold} orders were shipped, there were ${units} units`);
  if (rejected !== buyers - units) violations.push(`${rejected} orders were rejected, not ${buyers - units}`);
  const left = stock.parse((await shop.as()({ path: `/api/inventory/${productId}` })).body);
  if (left.available !== 0 || left.reserved !== 0) violations.push(`left over: ${JSON.stringify(left)}`);
  return { figures: { answered, sold, rejected, seconds: Math.round(seconds) }, violations };
}
const stock = z.object({ available: z.number(), reserved: z.number() });

/** Receives that many units, in both warehouses, of the one seeded product that has none. */
async function stockUp(shop: Shop, units: number): Promise<void> {
  const north = Math.ceil(units / 2);
  for (const [warehouse, quantity] of Object.entries({ north, south: units - north })) {
    const receipt = { path: `/api/inventory/${productId}/receipts`, key: uuidv7(), body: { warehouse, quantity } };
    const { answer } = await insist(shop.as('warehouse'), receipt);
    if (answer.status !== 200) throw new Error(`stock could not be received: ${answer.status} ${answer.text}`);
  }
}
