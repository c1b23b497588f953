import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { causeOf } from '../../services/_chassis/errors.ts';
import { uuidv7 } from '../../services/_chassis/uuid.ts';
import type { ClientAnswer, ClientRequest } from '../audit/client-log.ts';

type Person = 'ada' | 'ben' | 'staff';
type Ask = (request: ClientRequest) => Promise<ClientAnswer>;

/** One request of a load and how it went; times are epoch milliseconds of one clock. */
export interface LoadRequest {
  readonly what: string;
  /** Who answers it behind the gateway. */
  readonly service: 'products' | 'inventory' | 'orders';
  /** When it should have been sent: latency counts from here. */
  readonly dueAt: number;
  readonly sentAt: number;
  readonly endedAt: number;
  /** Why it counts as failed: any answer but those that an undisturbed shop gives, or none. */
  readonly failure?: string;
}

/** A load that is running. */
export interface Load {
  /** All that has ended so far, in the order of ending. */
  readonly requests: readonly LoadRequest[];
  /** Sends nothing more, and resolves when all has ended. */
  stop(): Promise<void>;
}

interface Step {
  readonly what: string;
  readonly service: LoadRequest['service'];
  readonly person: Person;
  readonly request: ClientRequest;
  readonly expected: readonly number[];
  readonly onAnswer?: (answer: ClientAnswer) => void;
}

const timeoutMs = 10_000;
const placed = z.object({ id: z.string() });
// One of each kind of request at least, in a fixed order: a run can be repeated.
const mix = 'product stock place order list product stock place product order stock place change order cancel'.split(
  ' ',
);

/** Epoch milliseconds of the clock that a load keeps its times by. */
export const now = () => performance.timeOrigin + performance.now();

/**
 * Sends requests at a fixed rate whatever becomes of those before (an open loop), reads and writes through the gateway,
 * and repeats none: what fails has failed.
 */
export function startLoad(clients: Readonly<Record<Person, Ask>>, perSecond: number): Load {
  const requests: LoadRequest[] = [];
  const underWay = new Set<Promise<void>>();
  const stopped = new AbortController();
  const nextStep = planSteps();

  async function send(step: Step, dueAt: number): Promise<void> {
    const { what, service, expected } = step;
    const sentAt = now();
    // Each on a connection of its own: one that was idle too long may be closed by the gateway just when it is used again.
    const request = { ...step.request, headers: { connection: 'close' }, timeoutMs };
    const failure = await clients[step.person](request).then(
      (answer) => {
        const isExpected = expected.includes(answer.status) && !answer.text.includes('idempotency-key-in-progress');
        if (!isExpected) return `${answer.status} ${answer.text.slice(0, 300)}`;
        step.onAnswer?.(answer);
        return undefined;
      },
      (error: unknown) => `no answer: ${causeOf(error)}`,
    );
    requests.push({ what, service, dueAt, sentAt, endedAt: now(), ...(failure !== undefined && { failure }) });
  }

  async function run(): Promise<void> {
    const start = now();
    for (let n = 0; !stopped.signal.aborted; n++) {
      const dueAt = start + (n * 1_000) / perSecond;
      const inMs = dueAt - now();
      if (inMs > 0) await delay(inMs, undefined, { signal: stopped.signal }).catch(() => undefined);
      if (stopped.signal.aborted) return;
      const sent = send(nextStep(n), dueAt).finally(() => underWay.delete(sent));
      underWay.add(sent);
    }
  }

  const running = run();
  return {
    requests,
    async stop() {
      stopped.abort();
      await running;
      await Promise.all(underWay);
    },
  };
}

/** What to send as the nth request; orders that were placed are read and, some of them, cancelled later. */
function planSteps(): (n: number) => Step {
  const showcase = { id: '1', person: 'ada' } as const;
  const orders: { id: string; person: Person }[] = [];
  const cancelled = new Set<string>();

  return (n) => {
    const person = n % 2 === 0 ? 'ada' : 'ben';
    const productId = String(20 + (n % 150));
    const latest = orders.at(-1) ?? showcase;
    const read = { person, expected: [200] } as const;
    switch (mix[n % mix.length]) {
      case 'product':
        return { ...read, what: 'getProduct', service: 'products', request: { path: `/api/products/${productId}` } };
      case 'list':
        return { ...read, what: 'listProducts', service: 'products', request: { path: '/api/products?limit=10' } };
      case 'stock':
        return { ...read, what: 'getStock', service: 'inventory', request: { path: `/api/inventory/${productId}` } };
      case 'change':
        return {
          what: 'changeProduct',
          service: 'products',
          person: 'staff',
          request: {
            method: 'PATCH',
            path: `/api/products/${productId}`,
            key: uuidv7(),
            body: { price: { amount: 1_000 + n, currency: 'EUR' } },
          },
          expected: [200],
        };
      case 'place':
        return {
          what: 'placeOrder',
          service: 'orders',
          person,
          request: {
            path: '/api/orders',
            key: uuidv7(),
            body: { items: [{ productId, quantity: 1 }], paymentToken: n % 5 === 0 ? 'tok_declined' : 'tok_ok' },
          },
          expected: [201],
          onAnswer: ({ body }) => void orders.push({ ...placed.parse(body), person }),
        };
      case 'cancel': {
        const { id, person: customer } = orders.findLast((order) => !cancelled.has(order.id)) ?? latest;
        cancelled.add(id);
        return {
          what: 'cancelOrder',
          service: 'orders',
          person: customer,
          request: { method: 'POST', path: `/api/orders/${id}/cancellation`, key: uuidv7() },
          // Shipped, or declined by the bank: no longer cancellable is an answer.
          expected: [200, 409],
        };
      }
      default:
        return {
          ...read,
          what: 'getOrder',
          service: 'orders',
          person: latest.person,
          request: { path: `/api/orders/${latest.id}` },
        };
    }
  };
}
