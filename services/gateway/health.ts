import type { Connect } from '../_chassis/client.ts';
import type { Refusal } from '../_chassis/contract.ts';
import { authContract } from '../auth/contract.ts';
import { fulfillmentContract } from '../fulfillment/contract.ts';
import { inventoryContract } from '../inventory/contract.ts';
import { ordersContract } from '../orders/contract.ts';
import { paymentsContract } from '../payments/contract.ts';
import { productsContract } from '../products/contract.ts';
import { usersContract } from '../users/contract.ts';
import { routes, type Handlers, type Health } from './contract.ts';

const askFor = { timeoutMs: 1_000 };

/** Without these nobody can look at the catalog or place an order; orders of the others wait and go on by themselves. */
const vital = ['gateway', 'products', 'orders'];

type Answered = { kind: 'health'; status: 'healthy' | 'unhealthy' } | Refusal;

/** What the mesh is, and how it is. */
export function healthHandlers(deps: {
  connect: Connect;
  /** Whether the gateway itself takes and passes on calls. */
  isHealthy: () => Promise<boolean>;
}): Pick<Handlers, 'showIndex' | 'showHealth'> {
  const products = deps.connect(productsContract);
  const inventory = deps.connect(inventoryContract);
  const orders = deps.connect(ordersContract);
  const payments = deps.connect(paymentsContract);
  const auth = deps.connect(authContract);
  const users = deps.connect(usersContract);
  const fulfillment = deps.connect(fulfillmentContract);
  const own = async (): Promise<Answered> => ({
    kind: 'health',
    status: (await deps.isHealthy()) ? 'healthy' : 'unhealthy',
  });

  return {
    async showIndex() {
      return { status: 200, body: index };
    },
    async showHealth() {
      const found = await Promise.all([
        probe('gateway', own),
        probe('products', () => products.getHealth({}, askFor)),
        probe('inventory', () => inventory.getHealth({}, askFor)),
        probe('orders', () => orders.getHealth({}, askFor)),
        probe('payments', () => payments.getHealth({}, askFor)),
        probe('auth', () => auth.getHealth({}, askFor)),
        probe('users', () => users.getHealth({}, askFor)),
        probe('fulfillment', () => fulfillment.getHealth({}, askFor)),
      ]);
      const body = overall(Object.fromEntries(found));
      return { status: body.status === 'unhealthy' ? 503 : 200, body };
    },
  };
}

/** All healthy, or how bad it is: `degraded` while the catalog can be read and orders can be placed. */
export function overall(services: Health['services']): Health {
  const ill = Object.keys(services).filter((name) => services[name]?.status !== 'healthy');
  if (ill.length === 0) return { status: 'healthy', services };
  return { status: ill.some((name) => vital.includes(name)) ? 'unhealthy' : 'degraded', services };
}

async function probe(name: string, ask: () => Promise<Answered>) {
  const started = performance.now();
  const answer = await ask().catch(() => undefined);
  const status = answer?.kind === 'health' ? answer.status : ('unhealthy' as const);
  return [name, { status, latencyMs: Math.round(performance.now() - started) }] as const;
}

const index = {
  name: 'sidecart',
  about: 'A shop as small services, each beside a Dapr sidecar. Errors are application/problem+json (RFC 9457).',
  links: {
    api: '/openapi.json',
    health: '/health',
    products: '/api/products',
    stock: '/api/inventory/1',
    order: '/api/orders/1',
  },
  routes: Object.values(routes).map(({ method, path, does, permission }) => ({ method, path, does, permission })),
};
