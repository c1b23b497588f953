import pg from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import { followToTheEnd, openEventStream, type EventStream, type Followed } from './event-source.ts';
import { openShop, type Shop } from './shop.ts';

let shop: Shop;
beforeAll(async () => {
  shop = await openShop({
    replicas: { gateway: 2, orders: 2 },
    // Orders that inventory leaves alone stay as they are; seconds between a move and the next.
    env: { ORDERS_PLACED_DEADLINE_MS: '600000', FULFILLMENT_PICK_MS: '1000', CATCH_UP_INTERVAL_MS: '1000' },
  });
  return () => shop.close();
});

const gateways = ['http://127.0.0.1:8080', 'http://127.0.0.1:8180'] as const;
const urlsOf = (orderId: string) => gateways.map((gateway) => `${gateway}/api/orders/${orderId}/events`);
const whole = ['1 placed', '2 reserved', '3 paid', '4 shipped'];
const seenBy = ({ events }: Pick<Followed, 'events'> | EventStream) =>
  events.map(({ id, event, data }) =>
    id === String(data.version) && event === data.status ? `${id} ${event}` : 'odd',
  );

/** Opens a stream at each gateway and waits until both have begun with these. */
async function openBoth(orderId: string, ...seen: string[]): Promise<EventStream[]> {
  const token = await shop.bearer('ada');
  const streams = await Promise.all(urlsOf(orderId).map((url) => openEventStream(url, { token })));
  const begun = () => streams.map((stream) => seenBy(stream).slice(0, seen.length));
  await expect.poll(begun, { timeout: 60_000 }).toEqual(streams.map(() => seen));
  return streams;
}

/** Holds every order where it is: nobody answers to `placed`. */
async function whileNothingMoves<T>(work: () => Promise<T>): Promise<T> {
  shop.mesh.signal('inventory-0', 'app', 'SIGSTOP');
  try {
    return await work();
  } finally {
    shop.mesh.signal('inventory-0', 'app', 'SIGCONT');
  }
}

describe('following an order', () => {
  it('when it is followed at two gateways from placed to shipped, each sees each move once, and then the end', async () => {
    const { id } = await shop.place();
    const streams = await openBoth(id, '1 placed');
    for (const stream of streams) {
      expect(await stream.ended).toBe('clean');
      expect(seenBy(stream)).toEqual(whole);
      expect(stream.events.map(({ data }) => data.orderId)).toEqual([id, id, id, id]);
    }
    const { history } = await shop.get(id);
    expect(streams[0]?.events.map(({ data: { status, at } }) => ({ status, at }))).toEqual(history);
  });

  it('when it is resumed behind an event, only what is newer comes; behind the last one, it is 204', async () => {
    const { id } = await shop.place();
    await shop.until(id, 'shipped');
    const [url = ''] = urlsOf(id);
    const token = await shop.bearer('ada');
    const rest = await openEventStream(url, { token, lastEventId: '2' });
    expect([await rest.ended, seenBy(rest)]).toEqual(['clean', ['3 paid', '4 shipped']]);
    expect((await openEventStream(url, { token, lastEventId: '4' })).status).toBe(204);
  });

  it('when it is none of theirs, others are told that there is none; the showcase is for everybody', async () => {
    const { id } = await shop.place();
    const [url = ''] = urlsOf(id);
    for (const token of [undefined, await shop.bearer('ben')])
      expect((await openEventStream(url, { token })).status).toBe(404);
    expect(seenBy(await followToTheEnd(urlsOf('1')))).toEqual(whole);
  });
});

describe('a replica of orders that is killed', () => {
  it.each([
    ['orders-0', 'app'],
    ['orders-1', 'sidecar'],
  ] as const)('when it is %s, by its %s, no move is missing and none comes twice', async (replica, member) => {
    const { id } = await shop.place({ paymentToken: 'tok_slow' });
    const token = await shop.bearer('ada');
    const streams = await openBoth(id, '1 placed');
    const following = urlsOf(id).flatMap((url) => [url, url].map((one) => followToTheEnd([one], { token })));
    shop.mesh.signal(replica, member, 'SIGKILL');
    for (const followed of await Promise.all(following)) expect(seenBy(followed)).toEqual(whole);
    for (const stream of streams) {
      expect(await stream.ended).toBe('clean');
      const rest = await followToTheEnd(urlsOf(id), { token, lastEventId: stream.events.at(-1)?.id });
      expect([...seenBy(stream), ...seenBy(rest)]).toEqual(whole);
    }
    await shop.mesh.waitReady(180_000);
  });
});

describe('500 followers', () => {
  it('when their orders are quiet, they cost orders’ database no more than one does, and all see the end', async () => {
    const admin = new pg.Client({ connectionString: shop.mesh.databaseUrl('orders') });
    await admin.connect();
    // Statements outside a transaction count as one each; what a session did shows once it has been idle for 10 s.
    const transactions = async () => {
      const counted = `select xact_commit::int as count from pg_stat_database where datname = current_database()`;
      return (await admin.query<{ count: number }>(counted)).rows[0]?.count ?? 0;
    };
    const perSecond = async () => {
      const [before, from] = [await transactions(), Date.now()];
      await new Promise((resolve) => setTimeout(resolve, 10_000));
      return ((await transactions()) - before) / ((Date.now() - from) / 1_000);
    };
    const followers = await Promise.all(
      Array.from({ length: 25 }, (_, n) => shop.bearerOf({ sub: `follower-${n}`, roles: ['staff'] })),
    );
    const following = await whileNothingMoves(async () => {
      const orders = await Promise.all(Array.from({ length: 25 }, () => shop.place()));
      // What placing them did shows for some time.
      let [before, none] = [Infinity, await perSecond()];
      while (none < before * 0.95) [before, none] = [none, await perSecond()];
      const [{ id } = { id: '' }] = orders;
      const [first] = await openBoth(id, '1 placed');
      let one = 0;
      await expect.poll(async () => (one = await perSecond()), { timeout: 60_000 }).toBeGreaterThan(none);
      const all = followers.flatMap((token) => orders.slice(0, 20).map((order) => ({ token, url: urlsOf(order.id) })));
      const streams: Promise<Followed>[] = [];
      while (streams.length < all.length) {
        const from = streams.length;
        const some = all.slice(from, from + 25);
        streams.push(...some.map(({ token, url }, n) => followToTheEnd([url[n % 2] ?? ''], { token })));
        await expect.poll(openStreams, { timeout: 60_000, interval: 100 }).toBeGreaterThanOrEqual(streams.length + 2);
      }
      await expect.poll(perSecond, { timeout: 60_000 }).toBeLessThan(one * 1.2 + 1);
      first?.leave();
      return streams;
    });
    for (const followed of await Promise.all(following)) expect(seenBy(followed)).toEqual(whole);
    await admin.end();
  });
});

/** How many streams the replicas of orders answer now. */
async function openStreams(): Promise<number> {
  const counts = [6584, 6684].map(async (port) => {
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    return Number(/^sidecart_streams_open_count\{.*\} (\d+)$/m.exec(text)?.[1] ?? 0);
  });
  return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
}

describe('a service that stops', () => {
  it.each(['gateway', 'orders'])(
    'when it is %s, streams end properly within seconds, and can be resumed',
    async (service) => {
      const [id, ends] = await whileNothingMoves(async () => {
        const placed = await shop.place();
        const streams = await openBoth(placed.id, '1 placed');
        const from = Date.now();
        const stopped = shop.mesh.release(service);
        const ended = await Promise.all(streams.map((stream) => stream.ended));
        await stopped;
        expect(Date.now() - from).toBeLessThan(60_000);
        return [placed.id, ended] as const;
      });
      expect(ends).toEqual(['clean', 'clean']);
      shop.mesh.takeBack(service);
      await shop.mesh.waitReady(180_000);
      const rest = await followToTheEnd(urlsOf(id), { token: await shop.bearer('ada'), lastEventId: '1' });
      expect(seenBy(rest)).toEqual(whole.slice(1));
    },
  );

  it('when one of two replicas of orders stops, whoever follows notices nothing', async () => {
    const { id } = await shop.place({ paymentToken: 'tok_slow' });
    const streams = await openBoth(id, '1 placed', '2 reserved');
    shop.mesh.signal('orders-0', 'sidecar', 'SIGTERM');
    for (const stream of streams) {
      expect(await stream.ended).toBe('clean');
      expect(seenBy(stream)).toEqual(whole);
    }
    await shop.mesh.waitReady(60_000);
  });
});
