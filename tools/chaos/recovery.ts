import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { uuidv7 } from '../../services/_chassis/uuid.ts';
import { ends } from '../../services/_e2e/shop.ts';
import { orderStatus } from '../../services/orders/contract.ts';
import type { ClientAnswer } from '../audit/client-log.ts';
import type { Kind } from '../compose/containers.ts';
import { products, type Ask } from './shoppers.ts';

/** Within how many seconds each kind of container has to serve again, with no help: about four times what a machine of two busy cores took. */
export const limits: Readonly<Record<Kind, number>> = {
  edge: 45,
  pod: 60,
  app: 45,
  sidecar: 45,
  bank: 45,
  postgres: 60,
  redis: 60,
  sentry: 45,
};

/** How often each read has to be answered well, one time after the other. */
const inARow = 3;
const reads = ['/api/products?limit=10', `/api/products/${products[0] ?? ''}`, '/api/orders?limit=10', '/api/users/1'];
const order = z.object({ id: z.string(), status: orderStatus });

/** How a mesh came back. */
export interface Recovery {
  /** From the end of the fault until all was served; undefined when the limit passed. */
  readonly seconds: number | undefined;
  /** What was not served when the limit passed. */
  readonly lacking: readonly string[];
}

/**
 * Waits until everything is served again: each read three times in a row, a person who signs in, and an order that was placed
 * after the fault and is shipped.
 */
export async function untilServed(
  ask: Ask,
  signInAnew: () => Promise<void>,
  { since, limitSeconds }: { since: number; limitSeconds: number },
): Promise<Recovery> {
  const limit = since + limitSeconds * 1_000;
  const open = new Set<string>();
  const facts = [
    ...reads.map((path) => ({ what: `GET ${path}`, until: () => wellInARow(ask, path, limit) })),
    { what: 'signing in', until: () => again(limit, signInAnew) },
    { what: 'an order that is shipped', until: () => shipped(ask, limit) },
  ];
  await Promise.all(
    facts.map(async ({ what, until }) => {
      open.add(what);
      if (await until()) open.delete(what);
    }),
  );
  const seconds = Math.round((performance.now() - since) / 100) / 10;
  return { seconds: open.size === 0 ? seconds : undefined, lacking: [...open] };
}

/** Tries something until it does not fail; false when the limit passed. */
async function again(limit: number, work: () => Promise<unknown>): Promise<boolean> {
  while (performance.now() < limit) {
    try {
      await work();
      return true;
    } catch {
      await delay(200);
    }
  }
  return false;
}

const good = (answer: ClientAnswer): ClientAnswer => {
  if (answer.status < 200 || answer.status > 299) throw new Error(`${answer.status} ${answer.text}`);
  return answer;
};

const wellInARow = (ask: Ask, path: string, limit: number) =>
  again(limit, async () => {
    for (let n = 0; n < inARow; n += 1) good(await ask({ path, timeoutMs: 3_000 }));
  });

/** Whether an order is shipped; one that waited too long for a service that was away is cancelled, and another is placed. */
async function shipped(ask: Ask, limit: number): Promise<boolean> {
  while (performance.now() < limit) if ((await endOfOrder(ask, limit)) === 'shipped') return true;
  return false;
}

async function endOfOrder(ask: Ask, limit: number): Promise<z.infer<typeof orderStatus> | undefined> {
  const body = { items: [{ productId: products[0] ?? '', quantity: 1 }], paymentToken: 'tok_ok' };
  // One key: it is one order, however often it has to be asked for.
  const request = { path: '/api/orders', key: uuidv7(), body, timeoutMs: 3_000 };
  let id: string | undefined;
  let status: z.infer<typeof orderStatus> | undefined;
  await again(limit, async () => ({ id } = order.parse(good(await ask(request)).body)));
  if (id === undefined) return undefined;
  const isOver = await again(limit, async () => {
    ({ status } = order.parse(good(await ask({ path: `/api/orders/${id}`, timeoutMs: 3_000 })).body));
    if (!ends.includes(status)) throw new Error('not yet');
  });
  return isOver ? status : undefined;
}
