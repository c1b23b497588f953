import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { audit, type AuditReport } from './audit.ts';
import { bookkeepers, type Databases } from './books.ts';
import type { ClientLogLine } from './client-log.ts';
import { openCounter } from './counter.ts';
import { clientDamages } from './damages/clients.ts';
import type { Damage } from './damages/damage.ts';
import { eventDamages } from './damages/events.ts';
import { moneyDamages } from './damages/money.ts';
import { orderDamages } from './damages/orders.ts';
import { stockDamages } from './damages/stock.ts';
import type { Invariant } from './findings.ts';
import { playHistory } from './test-support/history.ts';
import { connected, copyDatabase } from './test-support/scratch.ts';
import { startSmallMesh, type SmallMesh } from './test-support/small-mesh.ts';

const damages = [...moneyDamages, ...stockDamages, ...orderDamages, ...eventDamages, ...clientDamages];

let mesh: SmallMesh;
let lines: ClientLogLine[];
let counts: Map<string, number>;
beforeAll(async () => {
  mesh = await startSmallMesh();
  const counter = await openCounter(mesh.databases.orders);
  lines = await playHistory(mesh);
  counts = await counter.count();
  await counter.close();
}, 120_000);
afterAll(() => mesh.drop());

async function* all<T>(list: readonly T[]): AsyncGenerator<T> {
  yield* list;
}

const look = (databases: Databases, told: readonly ClientLogLine[], counted: Map<string, number>) =>
  audit({ databases, clientLog: all(told), counters: async () => counted, drainTimeoutMs: 0 });

/** Audits copies of the books to which the damage was done. */
async function auditDamaged({ sql = {}, lines: change, counts: recount }: Damage): Promise<AuditReport> {
  const drops: (() => Promise<void>)[] = [];
  try {
    const databases: Record<string, string> = { ...mesh.databases };
    for (const service of bookkeepers) {
      const statements = sql[service];
      if (statements === undefined) continue;
      const { url, drop } = await copyDatabase(mesh.databases[service]);
      drops.push(drop);
      databases[service] = url;
      await connected(url, (client) => client.query(statements));
    }
    return await look({ ...mesh.databases, ...databases }, change?.(lines) ?? lines, recount?.(counts) ?? counts);
  } finally {
    for (const drop of drops) await drop();
  }
}

const brokenIn = (report: AuditReport): Invariant[] =>
  report.findings.filter(({ count }) => count > 0).map(({ invariant }) => invariant);

describe('audit while the mesh runs', () => {
  afterAll(() => mesh.stop());

  it('when an order is under way, waits for its end; when it has no time left, says what is open', async () => {
    const customer = await mesh.orders.as({ sub: '1', roles: ['customer'] });
    const order = { items: [{ productId: '20', quantity: 1 }], paymentToken: 'tok_ok' };
    const placed = await customer.placeOrder(order, { idempotencyKey: 'under way' });
    if (placed.kind !== 'placed') throw new Error(placed.kind);
    const { databases } = mesh;

    const hasty = await audit({ databases, drainTimeoutMs: 0 });
    expect(brokenIn(hasty)).toEqual(['I2', 'I8']);
    expect(hasty).toMatchObject({
      clean: false,
      drained: false,
      open: ['unfinished orders: 1 placed', 'events not handled: 1 inventory.requests at inventory'],
    });

    const told: string[] = [];
    const patient = audit({ databases, drainTimeoutMs: 20_000, onProgress: (text) => void told.push(text) });
    await expect.poll(() => told, { timeout: 15_000 }).not.toEqual([]);
    await mesh.deliverUntilNone(
      'orders',
      `select 1 from orders where id = '${placed.order.id}' and state <> 'shipped'`,
    );
    await mesh.deliver();
    expect(await patient).toMatchObject({ clean: true, drained: true });
    expect(told[0]).toMatch(/^waiting for the end \(\d+ s\): unfinished orders: 1 placed; events not handled/);
    counts.set(placed.order.id, 4);
  });
});

describe('audit', () => {
  it('when nothing is wrong, is clean and has held rows against every invariant', async () => {
    const report = await look(mesh.databases, lines, counts);
    expect(
      report.findings.flatMap(({ invariant, violations }) => violations.map((v) => ({ invariant, ...v }))),
    ).toEqual([]);
    expect(report.findings.filter(({ rows }) => rows === 0)).toEqual([]);
    expect(report).toMatchObject({ clean: true, drained: true, open: [], notes: [] });
  });

  it.for(damages)('when there is $what, $breaks notice', async (damage) => {
    const report = await auditDamaged(damage);
    expect(brokenIn(report)).toEqual(expect.arrayContaining([...damage.breaks]));
    expect(report.clean).toBe(false);
    const { names } = damage;
    for (const { violations } of report.findings.filter(({ invariant }) => damage.breaks.includes(invariant))) {
      if (names !== undefined) expect(violations.map(({ subject }) => subject)).toContain(names);
    }
  });

  it('when a failed event says its cause, is clean and tells of it', async () => {
    const report = await auditDamaged({
      what: '',
      breaks: [],
      sql: {
        orders: `update inbox set status = 'failed', attempts = 10, cause = 'why' where id = 'seed-product-77-priced'`,
      },
    });
    expect(brokenIn(report)).toEqual([]);
    expect(report.notes).toEqual(['orders has 1 failed events: `make redrive` shows them']);
  });

  it('when a withdrawal found the order dispatched, though its inbox row is older, holds nothing against it', async () => {
    const { url, drop } = await copyDatabase(mesh.databases.fulfillment);
    try {
      await connected(url, async (handler) => {
        await handler.query(`begin; insert into inbox (source, id, tenant, topic, type, subject, status)
          values ('urn:sidecart:orders', 'late', 'main', 'fulfillment.requests', 'com.sidecart.orders.shipment.withdrawn.v1', '1', 'handled')`);
        await connected(url, (worker) =>
          worker.query(`update fulfillments set updated_at = clock_timestamp() where order_id = '1'`),
        );
        await handler.query(`select 1 from fulfillments where order_id = '1' for update; commit`);
      });
      const report = await look({ ...mesh.databases, fulfillment: url }, lines, counts);
      expect(brokenIn(report)).toEqual(['I8']); // orders never said it
    } finally {
      await drop();
    }
  });

  it('when every invariant is counted, each is broken by some damage', () => {
    const broken = new Set(damages.flatMap(({ breaks }) => breaks));
    expect([...broken].sort()).toEqual([
      'I1',
      'I10',
      'I11',
      'I12',
      'I13',
      'I14',
      'I15',
      'I2',
      'I3',
      'I4',
      'I5',
      'I6',
      'I7',
      'I8',
      'I9',
    ]);
  });
});
