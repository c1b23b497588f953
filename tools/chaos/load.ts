import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { uuidv7 } from '../../services/_chassis/uuid.ts';
import { ends } from '../../services/_e2e/shop.ts';
import { orderStatus } from '../../services/orders/contract.ts';
import type { ClientAnswer, ClientRequest } from '../audit/client-log.ts';
import { insist } from '../drills/load.ts';
import { createSeen, outcomeOf, type Doing, type Seen } from './seen.ts';
import { patienceMs, products, type Ask } from './shoppers.ts';

// Of three requests one is an order: 5 orders and 10 reads a second.
const perSecond = 15;
const mostAtOnce = 100;
/** How long a client comes again with an order that nobody has answered, in milliseconds. */
const insistMs = 60_000;
// The bank takes 8 s for a slow card, and payments asks it about 8 at once: beyond 6 on their way the others would wait for these.
const steadyCards = Array.from({ length: 20 }, (_, n) =>
  n === 7 ? 'tok_slow' : n % 5 === 2 ? 'tok_declined' : 'tok_ok',
);
const rushOf = (slow: number) => Array.from({ length: 12 }, (_, n) => (n < slow ? 'tok_slow' : 'tok_ok'));

const placed = z.object({ id: z.string() });
const page = z.object({ items: z.array(z.object({ id: z.string(), status: orderStatus })) });

/** A load that runs, at a fixed rate whatever becomes of what was sent before. */
export interface Load {
  readonly seen: Seen;
  /** Requests that were due and not sent, because too many were unanswered. */
  readonly heldBack: number;
  /** Places orders at once until at least so many are unfinished, and gives how many are. */
  rush(atLeast: number): Promise<number>;
  /** Sends nothing more, and resolves when each order has an answer that decides. */
  stop(): Promise<void>;
}

/** Starts ada and ben: they look at products and their orders, and place orders as good clients do. */
export function startLoad(people: readonly [Ask, Ask]): Load {
  const seen = createSeen();
  const stopped = new AbortController();
  const underWay = new Set<Promise<void>>();
  const latest: string[][] = [[], []];
  let [heldBack, orders, looks] = [0, 0, 0];

  async function once(who: number, doing: Doing, request: ClientRequest): Promise<ClientAnswer | undefined> {
    const from = performance.now();
    const answer = await people[who === 0 ? 0 : 1](request).catch(() => undefined);
    seen.note(doing, answer, performance.now() - from);
    return answer;
  }

  /** Again with the same key until an answer decides, no sooner than it was told to. */
  async function place(who: number, paymentToken: string): Promise<void> {
    const productId = products[orders++ % products.length] ?? '20';
    const request = { path: '/api/orders', key: uuidv7(), body: { items: [{ productId, quantity: 1 }], paymentToken } };
    for (const limit = Date.now() + insistMs; Date.now() < limit;) {
      const answer = await once(who, 'checkout', request);
      const inProgress = answer?.status === 409;
      if (answer && outcomeOf(answer) === 'ok' && !inProgress) {
        if (answer.status === 201) latest[who] = [placed.parse(answer.body).id, ...(latest[who] ?? [])].slice(0, 5);
        return;
      }
      await delay(Math.min(Number(answer?.headers.get('retry-after') ?? 0) * 1_000 || 500, 5_000));
    }
  }

  async function step(n: number): Promise<void> {
    const who = n % 2;
    const read = (doing: Doing, path: string) => once(who, doing, { path });
    const own = latest[who]?.[0];
    if (n % 3 === 0) await place(who, steadyCards[orders % steadyCards.length] ?? 'tok_ok');
    else if (n % 6 === 1) await read('browse', '/api/products?limit=10');
    else if (n % 6 === 2) await read('orders', own === undefined ? '/api/orders?limit=10' : `/api/orders/${own}`);
    else if (n % 6 === 4) await read('browse', `/api/products/${products[looks++ % products.length] ?? '20'}`);
    else await read('orders', '/api/orders?limit=10');
  }

  const send = (work: Promise<void>) => {
    const sent = work.finally(() => underWay.delete(sent));
    underWay.add(sent);
    return sent;
  };
  const running = (async () => {
    const start = performance.now();
    for (let n = 0; !stopped.signal.aborted; n++) {
      const inMs = start + (n * 1_000) / perSecond - performance.now();
      if (inMs > 0) await delay(inMs, undefined, { signal: stopped.signal }).catch(() => undefined);
      if (stopped.signal.aborted) return;
      if (underWay.size < mostAtOnce) void send(step(n));
      else heldBack += 1;
    }
  })();

  async function unfinished(): Promise<number> {
    const asked = people.map((ask) => insist(ask, { path: '/api/orders?limit=50' }, patienceMs));
    const pages = await Promise.all(asked);
    return pages
      .map(({ answer: { body } }) => page.parse(body).items.filter(({ status }) => !ends.includes(status)).length)
      .reduce((sum, count) => sum + count, 0);
  }

  return {
    seen,
    get heldBack() {
      return heldBack;
    },
    async rush(atLeast) {
      for (let tries = 1; ; tries += 1) {
        await Promise.all(rushOf(tries === 1 ? 4 : 1).map((card, n) => send(place(n % 2, card))));
        const count = await unfinished();
        if (count >= atLeast) return count;
        if (tries === 10) throw new Error(`only ${count} orders are unfinished after ${tries} rushes`);
      }
    },
    async stop() {
      stopped.abort();
      await running;
      await Promise.all(underWay);
    },
  };
}
