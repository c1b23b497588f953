import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { eventType } from '../_chassis/contract.ts';
import { createDatabase } from '../_chassis/database.ts';
import { createLog } from '../_chassis/log.ts';
import { between, createTestDatabase, testPassword, type TestDatabase } from '../_chassis/test-support/database.ts';
import { startTestService, type TestService } from '../_chassis/test-support/service.ts';
import { disappointedBy } from '../_e2e/expectations.ts';
import { buildApp } from './app.ts';
import { ordersContract } from './contract.ts';

const customer = { sub: '1', roles: ['customer'] };
const deadlines = { placedMs: 600_000, reservedMs: 600_000, overdueMs: 600_000 };

// Two replicas on one database: what one of them commits, followers of the other must see, too.
let database: TestDatabase;
let here: TestService<typeof ordersContract>;
let there: TestService<typeof ordersContract>;
/** What `here` has sent to its database. */
const statements: string[] = [];
beforeAll(async () => {
  database = await createTestDatabase('orders', new URL('./migrations', import.meta.url));
  const counted = between(database, (scope) => ({
    query: (sql, values) => (statements.push(sql), scope.query(sql, values)),
  }));
  here = await replica((deps) => buildApp({ ...deps, database: counted }, deadlines));
  const price = { productId: '1', name: 'One', price: { amount: 100, currency: 'EUR' }, version: 1 };
  await say(here, 'products', 'product.priced', '1', price);
  there = await replicaOfIts();
});
afterAll(async () => {
  await there.close();
  await here.close().catch(() => undefined); // its database is the other's, too, and gone by then
});

const replica = (build: Parameters<typeof startTestService>[0]['buildApp']) =>
  startTestService({ contract: ordersContract, database, buildApp: build });
/** Another process: a pool of its own, so that its commits are heard of here only through the outbox. */
async function replicaOfIts() {
  const url = new URL(database.url);
  const own = createDatabase({
    service: 'orders',
    host: url.hostname,
    port: Number(url.port),
    password: testPassword,
    database: url.pathname.slice(1),
    poolSize: 5,
    connectMs: 20_000,
    log: createLog('orders', 'silent'),
  });
  return startTestService({
    contract: ordersContract,
    database: { ...database, ...own },
    buildApp: (deps) => buildApp(deps, deadlines),
  });
}

const say = (at: TestService<typeof ordersContract>, source: string, name: string, subject: string, data: object) =>
  at.deliver({ source, topic: `${source}.events`, type: eventType(source, name), subject, data });
const lines = [{ productId: '1', warehouse: 'north', quantity: 1 }];
const confirm = (at: typeof here, orderId: string) =>
  say(at, 'inventory', 'reservation.confirmed', orderId, { orderId, lines });
const capture = (at: typeof here, orderId: string) => say(at, 'payments', 'payment.captured', orderId, { orderId });
const dispatch = (at: typeof here, orderId: string) =>
  say(at, 'fulfillment', 'shipment.dispatched', orderId, { orderId });

async function place(at = here, sub = '1'): Promise<string> {
  const placed = await (
    await at.as({ ...customer, sub })
  ).placeOrder({
    items: [{ productId: '1', quantity: 1 }],
    paymentToken: 'tok_ok',
  });
  if (placed.kind !== 'placed') throw new Error(placed.kind);
  return placed.order.id;
}

const clients = new Map<string, ReturnType<typeof here.as>>();
/** One client a person and replica: making one reads the proto, which 500 need not do. */
function clientOf(at: typeof here, who: object) {
  const key = `${at === here ? 'here' : at === there ? 'there' : 'other'} ${JSON.stringify(who)}`;
  const client = clients.get(key) ?? at.as(who);
  if (!key.startsWith('other')) clients.set(key, client);
  return client;
}

/** Follows at a replica, and notes what comes: a move as `<version> <status>`. */
async function follow(orderId: string, options: { at?: typeof here; afterVersion?: number; who?: object } = {}) {
  const { at = here, afterVersion = 0, who = customer } = options;
  const client = await clientOf(at, who);
  const leaving = new AbortController();
  const seen: string[] = [];
  const answers: unknown[] = [];
  const done = (async () => {
    const { signal } = leaving;
    for await (const answer of client.followOrder({ orderId, afterVersion }, { signal, timeoutMs: 20_000 })) {
      answers.push(answer);
      seen.push(answer.kind === 'moved' ? `${answer.version} ${answer.status}` : answer.kind);
    }
  })();
  done.catch(() => undefined); // whoever waits for it sees it
  return {
    seen,
    answers,
    done,
    leave: async () => {
      leaving.abort();
      await done;
    },
    sees: (...expected: string[]) => vi.waitFor(() => expect(seen).toEqual(expected), 20_000),
  };
}

const streamsOpen = async () =>
  (await here.metrics.streamsOpen.get()).values.reduce((sum, { value }) => sum + value, 0);
const nobodyFollows = () => vi.waitFor(async () => expect(await streamsOpen()).toBe(0), 10_000);

describe('followOrder', () => {
  it('when the order moves, wherever that is committed, each move comes once and in order, and then the end', async () => {
    const id = await place();
    const [near, far] = [await follow(id), await follow(id, { at: there })];
    await near.sees('1 placed');
    await confirm(there, id);
    await near.sees('1 placed', '2 reserved');
    await capture(here, id);
    await dispatch(there, id);
    await Promise.all([near.done, far.done]);
    const all = ['1 placed', '2 reserved', '3 paid', '4 shipped', 'ended'];
    expect([near.seen, far.seen]).toEqual([all, all]);
    const { history } = await found(id);
    expect(near.answers.slice(0, 4)).toEqual(
      history.map((move, index) => ({ kind: 'moved', orderId: id, version: index + 1, ...move })),
    );
    const made = [near.answers, [{ kind: 'following' }, { kind: 'not-found' }]].flat();
    const { disappointments, unread } = await disappointedBy(
      made.map((value) => ({ name: 'orders.followOrder', value })),
    );
    expect([disappointments, unread]).toEqual([[], []]);
  });

  it('when it is resumed behind a version, only what is newer comes; when there is nothing, that is said', async () => {
    const id = await place();
    await confirm(here, id);
    const later = await follow(id, { afterVersion: 2 });
    await later.sees('following');
    await capture(there, id);
    await dispatch(here, id);
    await later.done;
    expect(later.seen).toEqual(['following', '3 paid', '4 shipped', 'ended']);
    for (const [afterVersion, rest] of [
      [3, ['4 shipped', 'ended']],
      [4, ['ended']],
      [99, ['ended']],
    ] as const) {
      const again = await follow(id, { afterVersion });
      await again.done;
      expect(again.seen).toEqual(rest);
    }
  });

  it('when several moves are one transaction, each comes all the same, with its reason', async () => {
    const id = await place();
    const following = await follow(id);
    await (await here.as(customer)).cancelOrder({ orderId: id });
    await following.done;
    expect(following.seen).toEqual(['1 placed', '2 cancelling', '3 cancelled', 'ended']);
    expect(following.answers[1]).toMatchObject({ reason: 'customer' });
  });

  it('when it is somebody else’s, or there is none, that looks the same; staff and the showcase are as always', async () => {
    const id = await place();
    for (const [orderId, who] of [
      [id, { sub: '2', roles: ['customer'] }],
      [id, {}],
      [id, { ...customer, tenant: 'another' }],
      ['none', customer],
      ['x\0y', customer],
    ] as const) {
      const stream = await follow(orderId, { who }).catch(() => undefined);
      await stream?.done.catch(() => undefined);
      expect(stream?.seen.filter((one) => one !== 'not-found')).toEqual([]);
    }
    const staff = await follow(id, { who: { sub: '3', roles: ['staff'] } });
    await staff.sees('1 placed');
    await staff.leave();
  });

  it('when an order moves at the very moment that it is followed, nothing is lost', async () => {
    for (let round = 0; round < 15; round++) {
      const id = await place();
      const [following] = await Promise.all([follow(id), confirm(there, id)]);
      const [second] = await Promise.all([follow(id, { at: there }), capture(round % 2 === 0 ? here : there, id)]);
      await dispatch(there, id);
      await Promise.all([following.done, second.done]);
      const all = ['1 placed', '2 reserved', '3 paid', '4 shipped', 'ended'];
      expect([following.seen, second.seen]).toEqual([all, all]);
    }
    await nobodyFollows();
  });

  it('when the service stops, streams end without the end of the order', async () => {
    const id = await place();
    const other = await replicaOfIts();
    const following = await follow(id, { at: other });
    await following.sees('1 placed');
    const closing = other.close().catch(() => undefined);
    await expect(following.done).rejects.toThrow('unreachable');
    await closing;
    expect(following.seen).toEqual(['1 placed']);
  });
});

describe('what following costs', () => {
  /** Statements that `here` sends while nothing happens for two seconds. */
  async function quietStatements() {
    const [before, from] = [statements.length, performance.now()];
    await delayed(2_000);
    // One tail asks every 250 ms, however long the two seconds were.
    return { sent: statements.length - before, most: (performance.now() - from) / 250 + 2 };
  }

  it('when nobody follows, nothing is asked; for 500 followers as little as for one', async () => {
    await nobodyFollows();
    expect((await quietStatements()).sent).toBe(0);

    const one = await follow(await place());
    await one.sees('1 placed');
    const forOne = await quietStatements();

    const ids = await Promise.all(Array.from({ length: 10 }, () => place()));
    const many: (typeof one)[] = [];
    while (many.length < 499) {
      // Not all at once: each begins with a look at its order, and the pool has five connections.
      const some = await Promise.all(ids.map((id) => follow(id)));
      await Promise.all(some.map((following) => following.sees('1 placed')));
      many.push(...some);
    }
    await delayed(500); // the first reads of the new feeds
    const forMany = await quietStatements();
    expect(forOne.sent).toBeGreaterThan(0);
    for (const { sent, most } of [forOne, forMany]) expect(sent).toBeLessThanOrEqual(most);

    // A move is read once for all who follow, however many they are.
    const [first = ''] = ids;
    const before = statements.length;
    await confirm(there, first);
    const ofFirst = many.filter((_, n) => n % ids.length === 0);
    await Promise.all(ofFirst.map((following) => following.sees('1 placed', '2 reserved')));
    expect(statements.slice(before).filter((sql) => sql.includes('from orders')).length).toBeLessThanOrEqual(2);

    await Promise.all([one, ...many].map((following) => following.leave()));
    await nobodyFollows();
    await delayed(500);
    expect((await quietStatements()).sent).toBe(0);
  }, 120_000);
});

const delayed = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function found(orderId: string) {
  const answer = await (await here.as(customer)).getOrder({ orderId });
  if (answer.kind !== 'found') throw new Error(answer.kind);
  return answer.order;
}
