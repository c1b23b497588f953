import { setTimeout as delay } from 'node:timers/promises';
import { uuidv7 } from '../../services/_chassis/uuid.ts';
import { randomNumbers } from '../../services/_e2e/random.ts';
import { violationsOf, type Shop } from '../../services/_e2e/shop.ts';
import { raisedLimits } from '../mesh/raised-limits.ts';
import { withShop, type Drill, type DrillDeps, type DrillResult } from './drill.ts';
import { insist, openOrderBook, sideBySide } from './load.ts';

const sizes = {
  // Not killed without end: what is answered in two seconds may be little on a busy machine.
  share: { keys: 100, times: 20, killsAtMost: 3 },
  whole: { keys: 1_000, times: 50, killsAtMost: Number.POSITIVE_INFINITY },
};
type Amount = (typeof sizes)['whole'];
const keysAtOnce = 4;
const customerId = 'repeater';

/** Every key many times at once through two gateways, each request repeated until it is acknowledged, while orders is killed. */
export const keys: Drill = {
  name: 'keys',
  proves:
    'When every idempotency key comes many times at once and the order service is killed every two seconds, there is one order a key, and every answer to it has the same bytes.',
  run: (size, deps) =>
    withShop(deps, { replicas: { gateway: 2 }, env: raisedLimits }, (shop) => repeat(shop, sizes[size], deps)),
};

async function repeat(
  shop: Shop,
  { keys: count, times, killsAtMost }: Amount,
  { seed, report }: DrillDeps,
): Promise<DrillResult> {
  const violations: string[] = [];
  const upTo = randomNumbers(seed);
  const clients = await Promise.all([0, 1].map((gateway) => shop.customer(customerId, gateway)));
  const bodies = Array.from({ length: count }, () => ({
    items: [{ productId: String(10 + upTo(180)), quantity: 1 + upTo(2) }],
    paymentToken: 'tok_ok',
  }));
  const started = Date.now();
  let answers = 0;
  let requests = 0;
  const killing = startKilling(shop, { answers: () => answers, killsAtMost });
  await sideBySide(bodies, keysAtOnce, async (body) => {
    const key = uuidv7();
    const told = new Set<string>();
    const once = async (client: (typeof clients)[number]) => {
      const { answer, tries } = await insist(client, { path: '/api/orders', key, body });
      answers += 1;
      requests += tries;
      told.add(`${answer.status} ${answer.headers.get('location')} ${answer.text}`);
    };
    await Promise.all(Array.from({ length: times / clients.length }, () => clients.map(once)).flat());
    const [first = ''] = told;
    if (told.size !== 1 || !first.startsWith('201 ')) violations.push(`${key} was answered ${[...told].join(' and ')}`);
    report(`${answers} of ${count * times} answered, killed ${killing.kills()} times`);
  });
  const kills = await killing.stop();
  const seconds = Math.round((Date.now() - started) / 1_000);
  if (kills === 0) violations.push('it was over before the service was killed');
  report('waiting for the end and auditing');
  await shop.mesh.waitReady(60_000);
  violations.push(...violationsOf(await shop.inspect()));
  const book = openOrderBook(shop);
  const orders = [...(await book.states({ customerId })).values()].reduce((sum, some) => sum + some, 0);
  await book.close();
  if (orders !== count) violations.push(`${count} keys made ${orders} orders`);
  return {
    figures: { keys: count, timesEach: times, orders, answers, requests, kills, seconds },
    rounds: [],
    violations,
  };
}

/** Kills the app of orders two seconds after each moment at which it begins to answer, so that each kill strikes it at work. */
function startKilling(
  shop: Shop,
  { answers, killsAtMost }: { answers: () => number; killsAtMost: number },
): { kills: () => number; stop: () => Promise<number> } {
  const stopped = new AbortController();
  const { signal } = stopped;
  let kills = 0;
  const restarts = () => shop.mesh.pairs().find(({ service }) => service === 'orders')?.restarts;
  const changed = async (look: () => unknown) => {
    for (const before = look(); look() === before;) await delay(20, undefined, { signal });
  };
  const work = async () => {
    while (kills < killsAtMost) {
      await changed(answers);
      await delay(2_000, undefined, { signal });
      const restarted = changed(restarts);
      shop.mesh.signal('orders-0', 'app', 'SIGKILL');
      kills += 1;
      await restarted;
    }
  };
  const ended = work().catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
  return {
    kills: () => kills,
    async stop() {
      stopped.abort();
      await ended;
      return kills;
    },
  };
}
