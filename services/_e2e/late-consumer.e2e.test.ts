import { execFile } from 'node:child_process';
import { cp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { runErrand, sideBySide } from '../../tools/drills/load.ts';
import { withClient } from '../../tools/mesh/postgres.ts';
import { change, compileCache, copyProject } from '../../tools/mesh/throwaway-project.ts';
import { openShop, type Shop } from './shop.ts';

let root: string;
let shop: Shop;
beforeAll(async () => {
  root = await copyProject();
  shop = await openShop({ root, env: { GATEWAY_DEADLINE_MS: '9000', ...compileCache }, readyTimeoutMs: 250_000 });
  return async () => {
    await shop.close();
    await rm(root, { recursive: true });
  };
});

const page = 500; // catch-up asks for as many events at once
const ops = 6597;

/** Places as many orders, a few at a time; some are declined, some cancelled. */
async function placeMany(count: number): Promise<void> {
  const numbers = Array.from({ length: count }, (_, n) => n);
  await sideBySide(numbers, 4, async (n) => {
    const item = { customer: 'ada', productId: String(20 + (n % 40)), quantity: 1 };
    const paymentToken = n % 10 === 1 ? 'tok_declined' : 'tok_ok';
    const errand = { ...item, paymentToken, cancelAfterMs: n % 10 === 2 ? 0 : undefined };
    expect(await runErrand(shop, errand, 60_000)).toEqual([]);
  });
}

const rows = <Row extends Record<string, unknown>>(service: string, sql: string) =>
  withClient(shop.mesh.databaseUrl(service), async (client) => (await client.query<Row>(sql)).rows);
const toldEvents = async () =>
  (await rows<{ n: number }>('orders', `select count(*)::int as n from outbox where topic = 'orders.events'`))[0]?.n ??
  0;
const heardEvents = async () =>
  (await rows<{ n: number }>('tally', 'select coalesce(sum(events), 0)::int as n from tallies'))[0]?.n ?? 0;

const open = `select 1 from orders where state not in ('shipped', 'rejected', 'payment-failed', 'cancelled') limit 1`;
const settled = () => expect.poll(() => rows('orders', open), { timeout: 240_000, interval: 500 }).toEqual([]);

/** A counter of the new service about orders.events. */
async function counted(name: string, label = ''): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${ops}/metrics`)).text();
  const line = text
    .split('\n')
    .find((one) => one.startsWith(`${name}{`) && one.includes('orders.events') && one.includes(label));
  return Number(line?.split(' ').at(-1) ?? 0);
}

/** Adds the service of ./tally to the project, step by step as the README's chapter says. */
async function addService(): Promise<void> {
  const folder = join(root, 'services', 'tally');
  await cp(join(import.meta.dirname, 'tally'), folder, { recursive: true });
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name);
    await writeFile(file, (await readFile(file, 'utf8')).replace(/(?<=['\s])\.\.\/(?=\.\.\/)/g, '')); // one folder higher up
  }
  const runFile = join(root, 'dapr-config', 'dapr.yaml');
  const ports = `appPort: 8097
    daprHTTPPort: 3597
    daprGRPCPort: 4597
    daprInternalGRPCPort: 5597
    metricsPort: 9597
    env: { OPS_PORT: '${ops}' }`;
  const own = `appDirPath: ../\n    configFilePath: dapr-config/access/tally.yaml`;
  const app = `  - appID: tally\n    ${own}\n    command: [node, services/tally/main.ts]\n    ${ports}\n`;
  await writeFile(runFile, `${await readFile(runFile, 'utf8')}${app}`);
  const target = '      fulfillment: { timeout: call, retry: call, circuitBreaker: call }\n';
  await change(root, 'dapr-config/resources/resiliency.yaml', target, target + target.replace('fulfillment', 'tally'));
  for (const file of ['components/secretstore.yaml', 'components/redis/pubsub.yaml'])
    await change(root, file, ' fulfillment,', ' fulfillment, tally,');
  const callers = `standardMethods(['inventory', 'payments', 'fulfillment'`;
  await change(root, 'services/orders/contract.ts', callers, `${callers}, 'tally'`);
  // In a process of its own, because this one has read the contract before.
  const write = `import { writeAccess } from './tools/contracts/access.ts'; await writeAccess();`;
  await promisify(execFile)(process.execPath, ['--input-type=module', '-e', write], { cwd: root });
}

describe('a consumer that subscribes years late', () => {
  it('when the broker knows nothing of the past, sees all of it by catch-up, then what is new, each once', async () => {
    await placeMany(160);
    await settled();
    const history = await toldEvents();
    expect(history).toBeGreaterThan(page);
    await shop.mesh.killRedis({ wipe: true });

    await addService();
    await shop.restart();
    await placeMany(30);
    // No other way leads to what was said before.
    const caughtUp = () => counted('sidecart_catchup_events_total');
    await expect.poll(caughtUp, { timeout: 120_000, interval: 500 }).toBeGreaterThanOrEqual(history);

    await placeMany(30);
    await settled();
    const all = await toldEvents();
    expect(all).toBeGreaterThan(history);
    await expect.poll(heardEvents, { timeout: 60_000, interval: 500 }).toBeGreaterThanOrEqual(all);

    const handled = await counted('sidecart_events_handled_total', 'result="handled"');
    expect(handled).toBe(all);
    expect(handled - (await caughtUp())).toBeGreaterThan(0); // those came by the broker
    const orders = await rows<{ id: string; version: number }>('orders', 'select id, version from orders order by id');
    const tallies = await rows<{ id: string; events: number; versions: number[] }>(
      'tally',
      `select order_id as id, events, array(select unnest(versions) order by 1) as versions from tallies order by order_id`,
    );
    expect(tallies).toEqual(
      orders.map(({ id, version }) => ({
        id,
        events: version,
        versions: Array.from({ length: version }, (_, n) => n + 1),
      })),
    );
    expect(await rows('tally', `select * from inbox where status <> 'handled'`)).toEqual([]);
    expect(await shop.audit()).toEqual([]);
  }, 900_000);
});
