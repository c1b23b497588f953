import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { health } from './system.ts';
import { startTestGateway } from './test-gateway.ts';

let gateway: Awaited<ReturnType<typeof startTestGateway>>;
beforeAll(async () => {
  gateway = await startTestGateway();
});
afterAll(() => gateway.close());

const services = ['products', 'inventory', 'orders', 'payments', 'auth', 'users', 'fulfillment'];
beforeEach(() => {
  gateway.reset();
  for (const service of services) gateway.answer(`${service}.getHealth`, { kind: 'health', status: 'healthy' });
});

async function look() {
  const { status, json } = await gateway.send('GET', '/health');
  return { status, health: health.parse(json) };
}

describe('showHealth', () => {
  it('when all are well, healthy and 200', async () => {
    const { status, health } = await look();
    expect([status, health.status]).toEqual([200, 'healthy']);
    expect(Object.keys(health.services)).toEqual(['gateway', ...services]);
  });

  it.each([
    ['inventory', 'degraded', 200],
    ['payments', 'degraded', 200],
    ['fulfillment', 'degraded', 200],
    ['auth', 'degraded', 200],
    ['users', 'degraded', 200],
    ['products', 'unhealthy', 503],
    ['orders', 'unhealthy', 503],
  ])('when %s is not, %s and %i', async (service, overall, expected) => {
    for (const answer of [{ kind: 'health', status: 'unhealthy' }, { kind: 'deadline-passed' }, undefined]) {
      gateway.answer(`${service}.getHealth`, () => answer);
      const { status, health } = await look();
      expect([status, health.status, health.services[service]?.status]).toEqual([expected, overall, 'unhealthy']);
    }
  });

  it('when the gateway itself is not, unhealthy and 503', async () => {
    gateway.state.healthy = false;
    const { status, health } = await look();
    expect([status, health.status, health.services['gateway']?.status]).toEqual([503, 'unhealthy', 'unhealthy']);
  });

  it('when services take their time, they are asked side by side', async () => {
    const { promise: allAsked, resolve } = Promise.withResolvers<void>();
    for (const service of services) {
      gateway.answer(`${service}.getHealth`, async () => {
        if (gateway.asked.length === services.length) resolve();
        await allAsked;
        return { kind: 'health', status: 'healthy' };
      });
    }
    expect((await look()).health.status).toBe('healthy');
  });
});
