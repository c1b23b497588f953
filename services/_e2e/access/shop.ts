import { pino } from 'pino';
import { clientOver, type Connect } from '../../_chassis/client.ts';
import { contextHeaders, currentContext } from '../../_chassis/context.ts';
import type { Contract } from '../../_chassis/contract.ts';
import type { Database } from '../../_chassis/database.ts';
import { DependencyError } from '../../_chassis/errors.ts';
import { createMetrics } from '../../_chassis/metrics.ts';
import type { App, ServiceDeps } from '../../_chassis/service.ts';
import { createTestDatabase } from '../../_chassis/test-support/database.ts';
import { generateSigningKey, staticAuthenticate } from '../../_chassis/test-support/issuer.ts';
import { appToken, startTestService } from '../../_chassis/test-support/service.ts';
import { buildApp as buildAuth } from '../../auth/app.ts';
import { authContract } from '../../auth/contract.ts';
import { buildApp as buildGateway } from '../../gateway/app.ts';
import { proxyList } from '../../gateway/limit-caller.ts';
import { listenPublic } from '../../gateway/server.ts';
import { buildApp as buildInventory } from '../../inventory/app.ts';
import { inventoryContract } from '../../inventory/contract.ts';
import { buildApp as buildOrders } from '../../orders/app.ts';
import { ordersContract } from '../../orders/contract.ts';
import { buildApp as buildProducts } from '../../products/app.ts';
import { productsContract } from '../../products/contract.ts';
import { buildApp as buildUsers } from '../../users/app.ts';
import { usersContract } from '../../users/contract.ts';
import { openDoor, type Door } from './door.ts';
import { saidAstray, seeds, stillRows, unlock } from './seed.ts';

const cache = { ttlMs: 300_000, pauseMs: 500, trustMs: 500, refreshIntervalMs: 1_000 };
const lasting = {
  publicUrl: 'http://shop.example',
  invitationMs: 600_000,
  exportWaitMs: 600_000,
  exportKeptMs: 600_000,
};
const authSettings = {
  ...{ publicUrl: 'http://127.0.0.1:8080', sealingKey: 'a sealing key', cookieKey: 'a cookie key', passwordQueue: 16 },
  ...{ rotationMs: 86_400_000, leadMs: 3_600_000 },
};
const deadlines = { placedMs: 600_000, reservedMs: 600_000, overdueMs: 600_000 };

/** Every service that a route of the gateway asks, with the real app of each. */
const services: readonly { contract: Contract; buildApp: (deps: ServiceDeps) => App }[] = [
  { contract: productsContract, buildApp: (deps) => buildProducts(deps, cache) },
  { contract: inventoryContract, buildApp: buildInventory },
  { contract: ordersContract, buildApp: (deps) => buildOrders(deps, deadlines) },
  { contract: authContract, buildApp: (deps) => buildAuth(deps, authSettings) },
  { contract: usersContract, buildApp: (deps) => buildUsers(deps, { ...lasting, cache }) },
];

export type Shop = Awaited<ReturnType<typeof openShop>>;

/**
 * The gateway and the services behind it in this process, on real databases, with no sidecar and no worker between;
 * `locked` leaves row-level security as the migrations made it, the second lock behind the services' own.
 */
export async function openShop({
  only = services.map(({ contract }) => contract.service),
  locked = true,
}: { only?: readonly string[]; locked?: boolean } = {}) {
  const keys = await generateSigningKey();
  const open = async ({ contract, buildApp }: (typeof services)[number]) => {
    const { service } = contract;
    const migrations = new URL(`../../${service}/migrations`, import.meta.url);
    const database = await createTestDatabase(service, migrations);
    if (!locked) await unlock(database);
    await seeds[service]?.(database);
    const running = await startTestService({ contract, database, buildApp, keys });
    return { contract, running, door: openDoor(contract, running.port, appToken) };
  };
  const opened = await Promise.all(services.filter(({ contract }) => only.includes(contract.service)).map(open));
  const parts = new Map(opened.map((part) => [part.contract.service, part]));
  const asked = new Map<string, string[]>();
  const messages = new Map<string, unknown>();

  /** Notes who is asked for which request of the public API. */
  function doorFor(service: string, method: string, message: unknown): Door {
    const part = parts.get(service);
    if (!part) throw new DependencyError(service, 'unreachable');
    const request = currentContext()?.requestId ?? '';
    messages.set(`${service}.${method}`, message);
    asked.set(request, [...(asked.get(request) ?? []), `${service}.${method}`]);
    return part.door;
  }
  const caller = { 'dapr-caller-app-id': 'gateway' };
  const connect: Connect = (contract) =>
    clientOver(
      contract,
      async (method, request, headers, timeoutMs) =>
        doorFor(contract.service, method, request).call(
          method,
          request,
          { ...contextHeaders(currentContext()), ...caller, ...headers },
          timeoutMs,
        ),
      (method, request, options) => doorFor(contract.service, method, request).stream(method, request, options, caller),
    );
  const ending = new AbortController();
  const gateway = buildGateway(
    {
      log: pino({ level: 'silent' }),
      metrics: createMetrics('gateway'),
      connect,
      authenticate: staticAuthenticate(keys.verificationKeys),
      limit: async () => undefined, // what is probed here is who may, not how often
      proxies: proxyList([]),
      isHealthy: async () => true,
      stopping: () => false,
      ending: ending.signal,
    },
    { deadlineMs: 9_000 },
  );
  const listening = await listenPublic(gateway, 0, pino({ level: 'silent' }));

  return {
    keys,
    parts,
    port: listening.port,
    /** The methods that were asked for a request, by its id; forgotten when they are told. */
    takeAsked(requestId: string): readonly string[] {
      const methods = asked.get(requestId) ?? [];
      asked.delete(requestId);
      return methods;
    },
    /** The last request that a method, `<service>.<method>`, was sent. */
    lastRequest: (name: string): unknown => messages.get(name),
    /** Every row that nobody may have touched. */
    async still(): Promise<string> {
      const texts = await Promise.all(opened.map(({ running }) => stillRows(running.database satisfies Database)));
      return texts.join('\n');
    },
    /** What was said in one tenant of another, a line each. */
    async astray(): Promise<string[]> {
      return (await Promise.all(opened.map(({ running }) => saidAstray(running.database satisfies Database)))).flat();
    },
    async close() {
      ending.abort();
      for (const { door } of opened) door.close();
      await Promise.all([listening.close(), ...opened.map(({ running }) => running.close())]);
    },
  };
}
