import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { z } from 'zod';
import { uuidv7 } from '../../services/_chassis/uuid.ts';
import { order } from '../../services/orders/contract.ts';
import { randomNumbers } from '../../services/_e2e/random.ts';
import { ends, type Ask, type Shop } from '../../services/_e2e/shop.ts';
import type { ClientAnswer, ClientRequest } from '../audit/client-log.ts';

const withCode = z.object({ code: z.string() });

const codeOf = ({ body }: ClientAnswer) => withCode.safeParse(body).data?.code;

/** Whether an answer decides the request; any other says that it was not looked at, and to come again. */
function decides(answer: ClientAnswer): boolean {
  if (answer.status >= 500 || answer.status === 429) return false;
  return answer.status !== 409 || codeOf(answer) !== 'idempotency-key-in-progress';
}

/**
 * Asks as a good client does: again with the same key until an answer decides, whatever dies meanwhile. Gives that answer
 * and how often it asked; fails when `limitMs` brings none.
 */
export async function insist(
  ask: Ask,
  request: ClientRequest,
  limitMs = 120_000,
): Promise<{ answer: ClientAnswer; tries: number }> {
  const limit = Date.now() + limitMs;
  for (let tries = 1; ; tries += 1) {
    const outcome = await ask({ timeoutMs: 5_000, ...request }).catch((error: unknown) => String(error));
    if (typeof outcome !== 'string' && decides(outcome)) return { answer: outcome, tries };
    if (Date.now() > limit) {
      const last = typeof outcome === 'string' ? outcome : `${outcome.status} ${outcome.text}`;
      throw new Error(`no answer that decides ${request.path} after ${tries} tries, the last: ${last}`);
    }
    await delay(100);
  }
}

/** Does some work for each item, so many at a time, in the items' order. */
export async function sideBySide<T>(
  items: Iterable<T>,
  lanes: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const left = items[Symbol.iterator]();
  const lane = async () => {
    for (let next = left.next(); !next.done; next = left.next()) await work(next.value);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

/** What one customer does: an order, and perhaps its cancellation some milliseconds after it was acknowledged. */
export interface Errand {
  readonly customer: string;
  readonly productId: string;
  readonly quantity: number;
  readonly paymentToken: string;
  readonly cancelAfterMs: number | undefined;
}

const cards = ['tok_ok', 'tok_ok', 'tok_ok', 'tok_ok', 'tok_ok', 'tok_flaky', 'tok_declined', 'tok_lost'];

/** Errands as the seed decides: mostly plain orders, some with a card that is declined, flaky or lost, some cancelled. */
export function drawErrands(seed: number, count: number, cancelledOneIn = 6): Errand[] {
  const upTo = randomNumbers(seed);
  return Array.from({ length: count }, () => ({
    customer: `customer-${upTo(100)}`,
    productId: String(10 + upTo(180)),
    quantity: 1 + upTo(3),
    paymentToken: cards[upTo(cards.length)] ?? 'tok_ok',
    cancelAfterMs: upTo(cancelledOneIn) === 0 ? upTo(4) * 100 : undefined,
  }));
}

/** Runs an errand to its last answer, whatever dies meanwhile, `limitMs` at most for each; gives what was answered that should not have been. */
export async function runErrand(shop: Shop, errand: Errand, limitMs?: number): Promise<string[]> {
  const ask = await shop.customer(errand.customer);
  const { productId, quantity, paymentToken, cancelAfterMs } = errand;
  const body = { items: [{ productId, quantity }], paymentToken };
  const placed = (await insist(ask, { path: '/api/orders', key: uuidv7(), body }, limitMs)).answer;
  if (placed.status !== 201) return [`placing an order was answered ${placed.status} ${placed.text}`];
  if (cancelAfterMs === undefined) return [];
  await delay(cancelAfterMs);
  const path = `/api/orders/${order.parse(placed.body).id}/cancellation`;
  const { answer } = await insist(ask, { method: 'POST', path, key: uuidv7() }, limitMs);
  const hadEnded = answer.status === 409 && codeOf(answer) === 'order-not-cancellable';
  return answer.status === 200 || hadEnded ? [] : [`a cancellation was answered ${answer.status} ${answer.text}`];
}

/** Looks into the database of orders, beside all services. */
export interface OrderBook {
  /** How many orders there are in each state. */
  states(where?: { customerId: string }): Promise<ReadonlyMap<string, number>>;
  /** How many have not come to their end yet. */
  unfinished(): Promise<number>;
  close(): Promise<void>;
}

/** Opens the database of orders of a shop. */
export function openOrderBook(shop: Shop): OrderBook {
  const pool = new pg.Pool({ connectionString: shop.mesh.databaseUrl('orders'), max: 1 });
  // A server that goes away is reported by the query as well; without a listener it would end this process.
  pool.on('error', () => undefined);
  const states: OrderBook['states'] = async (where) => {
    const sql = `select state, count(*)::int as count from orders where $1::text is null or customer_id = $1 group by state`;
    const { rows } = await pool.query<{ state: string; count: number }>(sql, [where?.customerId ?? null]);
    return new Map(rows.map(({ state, count }) => [state, count]));
  };
  return {
    states,
    async unfinished() {
      const counts = await states();
      return [...counts].reduce((sum, [state, count]) => (ends.some((end) => end === state) ? sum : sum + count), 0);
    },
    close: () => pool.end(),
  };
}
