import { setTimeout as delay } from 'node:timers/promises';
import { uuidv7 } from '../../services/_chassis/uuid.ts';
import type { ClientAnswer, ClientRequest } from '../audit/client-log.ts';
import { ownerOf } from './project.ts';
import { isRefusal } from './seen.ts';
import { products, type Ask } from './shoppers.ts';

/** What is asked while a container is gone, in the words of the page. */
export const askedWhileGone = [
  'list products',
  'a product',
  'place an order',
  'own orders',
  'an order',
  'stock',
  'a profile',
  'sign in',
] as const;
export type Asked = (typeof askedWhileGone)[number];
/**
 * `works` is an answer below 500; `refused` a clear 503 that says when to come again; `silent` none, for nobody listens; `either` is one
 * of the first two.
 */
export type Said = 'works' | 'refused' | 'silent' | 'either';

const productId = products[0] ?? '';
const requests: Readonly<Record<Asked, () => ClientRequest>> = {
  'list products': () => ({ path: '/api/products?limit=10' }),
  'a product': () => ({ path: `/api/products/${productId}` }),
  'place an order': () => ({
    path: '/api/orders',
    key: uuidv7(),
    body: { items: [{ productId, quantity: 1 }], paymentToken: 'tok_ok' },
  }),
  'own orders': () => ({ path: '/api/orders?limit=10' }),
  // The showcase: everybody may look at it.
  'an order': () => ({ path: '/api/orders/1' }),
  stock: () => ({ path: `/api/inventory/${productId}` }),
  'a profile': () => ({ path: '/api/users/1' }),
  'sign in': () => ({ path: '/oauth/authorize?response_type=code&client_id=cli&code_challenge=none' }),
};

const all = (said: Said) => Object.fromEntries(askedWhileGone.map((asked) => [asked, said])) as Record<Asked, Said>;
const without = (...refused: Asked[]): Readonly<Record<Asked, Said>> => ({
  ...all('works'),
  ...Object.fromEntries(refused.map((asked) => [asked, 'refused'])),
});
// An app without its sidecar, and a sidecar without its app, are of no use to anybody: it is the service that is gone.
const stated: Readonly<Record<string, Readonly<Record<Asked, Said>>>> = {
  edge: all('silent'),
  gateway: all('refused'),
  products: without('list products', 'a product'),
  // Prices are its own copy, so it needs nobody to place an order; and nobody else knows one.
  orders: without('place an order', 'own orders', 'an order'),
  inventory: without('stock'),
  auth: without('sign in'),
  users: without('a profile'),
  // They wait, and so do the orders that need them.
  ...{ payments: without(), fulfillment: without(), bank: without(), sentry: without() },
  // Whoever can't be counted may not try passwords, beyond what the gateway had taken in advance.
  redis: { ...all('works'), 'sign in': 'either' },
  // What the cache of products has is answered, on trust, until it is five minutes old; one's own profile is more than a cache may have.
  postgres: { ...all('refused'), 'a product': 'either' },
};

/** What still works while a container of this service is gone, and what is refused. */
export function statedFor(service: string): Readonly<Record<Asked, Said>> {
  const said = stated[ownerOf(service)];
  if (!said) throw new Error(`degraded.ts states nothing for ${service}`);
  return said;
}

/** Whether an answer is as stated. */
export const isAsStated = ({ stated, was }: Pick<Probed, 'stated' | 'was'>): boolean =>
  stated === was || (stated === 'either' && (was === 'works' || was === 'refused'));

/** What each of them gets now. */
export interface Probed {
  readonly asked: Asked;
  readonly stated: Said;
  readonly was: string;
  readonly seconds: number;
}

/** Asks for everything, all at the same time, what should work once more when it is refused, and compares it with what is stated. */
export function probe(ask: Ask, service: string): Promise<Probed[]> {
  const expected = statedFor(service);
  return Promise.all(
    askedWhileGone.map(async (asked) => {
      const from = performance.now();
      const request = requests[asked]();
      let answer = await ask(request).catch(() => undefined);
      // What could not be counted or answered in time on a busy machine says so, and is no sign of what is gone.
      if (answer && isRefusal(answer) && expected[asked] === 'works') {
        await delay(Math.min(Number(answer.headers.get('retry-after')), 5) * 1_000);
        answer = await ask(request).catch(() => undefined);
      }
      const seconds = Math.round((performance.now() - from) / 100) / 10;
      return { asked, stated: expected[asked], was: saidBy(answer), seconds };
    }),
  );
}

function saidBy(answer: ClientAnswer | undefined): string {
  if (!answer) return 'silent';
  if (isRefusal(answer)) return 'refused';
  return answer.status < 500 && answer.status !== 429 ? 'works' : `${answer.status} ${answer.text.slice(0, 200)}`;
}
