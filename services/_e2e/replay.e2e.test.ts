import { execFile } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { withClient } from '../../tools/mesh/postgres.ts';
import { change, compileCache, copyProject } from '../../tools/mesh/throwaway-project.ts';
import { migrate } from '../_chassis/migrate.ts';
import { uuidv7 } from '../_chassis/uuid.ts';
import { order } from '../orders/contract.ts';
import { openShop, type Shop } from './shop.ts';

let root: string;
let shop: Shop;
beforeAll(async () => {
  root = await copyProject();
  // A busy machine may need longer than the usual deadline; what this looks for is errors.
  const env = { CATCH_UP_INTERVAL_MS: '500', GATEWAY_DEADLINE_MS: '9000', ...compileCache };
  shop = await openShop({ root, replicas: { orders: 2 }, env, readyTimeoutMs: 250_000 });
  return async () => {
    await shop.close();
    await rm(root, { recursive: true });
  };
});

/** Orders that are placed, read and cancelled at some 20 a second until `stop`; every answer but the one meant is a failure. */
function startFlow() {
  const failures: string[] = [];
  let over = false;
  let placed = 0;
  const ask = async (meant: readonly number[], request: Parameters<ReturnType<Shop['as']>>[0]) => {
    for (;;) {
      const answer = await shop
        .as('ada')({ timeoutMs: 10_000, ...request })
        .catch((error: unknown) => ({ status: 0, text: String(error), body: undefined }));
      if (meant.includes(answer.status)) return answer;
      failures.push(`${request.path}: ${answer.status} ${answer.text}`);
      if (over) return answer;
    }
  };
  const client = async () => {
    while (!over) {
      const items = [{ productId: String(20 + (placed % 40)), quantity: 1 }];
      const body = { items, paymentToken: placed % 9 === 1 ? 'tok_declined' : 'tok_ok' };
      const answer = await ask([201], { path: '/api/orders', key: uuidv7(), body });
      const { id } = order.parse(answer.body);
      placed += 1;
      const path = `/api/orders/${id}`;
      if (placed % 7 === 3) await ask([200, 409], { method: 'POST', path: `${path}/cancellation`, key: uuidv7() });
      await ask([200], { path });
      await delay(200);
    }
  };
  const clients = Array.from({ length: 5 }, client);
  return {
    failures,
    /** Waits until so many more orders were placed. */
    more: (count: number) => {
      const enough = placed + count;
      return expect.poll(() => placed, { timeout: 60_000 }).toBeGreaterThanOrEqual(enough);
    },
    stop: () => {
      over = true;
      return Promise.all(clients);
    },
  };
}

const results = z.array(
  z.object({ table: z.string(), rows: z.number(), differing: z.number(), swapped: z.boolean(), lockedMs: z.number() }),
);

/** What `make replay` runs, in the project as it is now. */
async function replay(...args: string[]): Promise<{ code: number; models: z.infer<typeof results> }> {
  const command = ['tools/replay/cli.ts', 'json=1', `home=${shop.mesh.home}`, ...args];
  const ran = await promisify(execFile)(process.execPath, command, { cwd: root }).then(
    ({ stdout }) => ({ code: 0, stdout }),
    (error: unknown) => z.object({ code: z.number(), stdout: z.string(), stderr: z.literal('') }).parse(error),
  );
  return { code: ran.code, models: results.parse(JSON.parse(ran.stdout)) };
}
const equal = {
  code: 0,
  models: [{ table: 'orders' }, { table: 'prices' }].map((one) => ({ ...one, differing: 0, swapped: true })),
};

const count = async (where: string) => {
  const sql = `select count(*)::int as n from orders where ${where}`;
  const { rows } = await withClient(shop.mesh.databaseUrl('orders'), (client) => client.query<{ n: number }>(sql));
  return rows[0]?.n ?? 0;
};

/** The same read model with one column more, which follows from the events. */
async function changeProjection(): Promise<void> {
  await writeFile(
    join(root, 'services/orders/migrations/0099_add_order_end.sql'),
    'alter table orders add column ended_at timestamptz;',
  );
  const store = 'services/orders/store.ts';
  const last = '  created_at: record.createdAt,\n});';
  const column = 'ended_at: isTerminal(record.state) ? (record.history.at(-1)?.at ?? null) : null';
  await change(root, store, last, last.replace('\n', `\n  ${column},\n`));
  await change(
    root,
    store,
    'import type { OrderState,',
    `import { isTerminal } from './order.ts';\nimport type { OrderState,`,
  );
}

/** Ends one replica's app; its pair starts again, with the code that is there now. */
async function renew(pair: string): Promise<void> {
  shop.mesh.signal(pair, 'app', 'SIGTERM');
  await shop.mesh.waitReady(120_000);
}

describe('make replay, while orders flow through two replicas', () => {
  it('when nothing is wrong, swaps again and again, and no request fails', async () => {
    const flow = startFlow();
    await flow.more(20);
    for (let time = 0; time < 4; time++) {
      expect(await replay()).toMatchObject(equal);
      await flow.more(10);
    }
    await flow.stop();
    expect(flow.failures).toEqual([]);
    expect(await shop.audit()).toEqual([]);
  });

  it('when a projection was changed, fills the rows of old, beside those that old and new replicas write', async () => {
    const flow = startFlow();
    await changeProjection();
    const folder = join(root, 'services/orders/migrations');
    await withClient(shop.mesh.databaseUrl('orders'), (client) => migrate(client, folder));
    await flow.more(10); // all written by replicas that know nothing of the column
    await renew('orders-0');
    await flow.more(20); // by both
    await renew('orders-1');
    await flow.more(10);
    flow.failures.length = 0; // what a replica's end cut off was asked again; from here on nothing may fail

    const isEnd = `state in ('shipped', 'rejected', 'payment-failed', 'cancelled')`;
    expect(await count(`${isEnd} and ended_at is not null`)).toBeGreaterThan(0);
    const refused = await replay();
    expect(refused).toMatchObject({ code: 1, models: [{ table: 'orders', swapped: false }, { swapped: true }] });
    expect(refused.models[0]?.differing).toBeGreaterThan(10);
    expect(await count(`${isEnd} and ended_at is null`)).toBeGreaterThan(10);

    expect(await replay('swap=1')).toMatchObject({
      code: 0,
      models: [{ table: 'orders', swapped: true }, { swapped: true }],
    });
    await flow.more(10);
    expect(await count(`(${isEnd}) <> (ended_at is not null)`)).toBe(0);
    expect(await replay()).toMatchObject(equal);
    await flow.stop();
    expect(flow.failures).toEqual([]);
    expect(await shop.audit()).toEqual([]);
    expect(await count(`(${isEnd}) <> (ended_at is not null)`)).toBe(0);
  });
});
