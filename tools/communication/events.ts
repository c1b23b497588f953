import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { eventSource, type Contract } from '../../services/_chassis/contract.ts';
import { causeOf } from '../../services/_chassis/errors.ts';
import { withClient } from '../mesh/postgres.ts';
import { z } from 'zod';
import type { Outcome } from './matrix.ts';

const patienceMs = 30_000;
const order = z.object({ id: z.string(), status: z.string() });

/** Places an order that is shipped within seconds where everybody hears everybody; gives how it ended, or stood at last. */
export async function placeOrder(gatewayUrl: string, token: string): Promise<z.output<typeof order>> {
  const call = async (path: string, init: RequestInit = {}) => {
    const headers = { authorization: `Bearer ${token}`, ...init.headers };
    const response = await fetch(`${gatewayUrl}${path}`, { ...init, headers, signal: AbortSignal.timeout(10_000) });
    const text = await response.text();
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${text.slice(0, 200)}`);
    return order.parse(JSON.parse(text));
  };
  let placed = await call('/api/orders', {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': randomUUID() },
    body: JSON.stringify({ items: [{ productId: '1', quantity: 1 }], paymentToken: 'tok_ok' }),
  });
  for (const limit = Date.now() + patienceMs; placed.status !== 'shipped' && Date.now() < limit; await delay(200))
    placed = await call(`/api/orders/${placed.id}`);
  return placed;
}

/** The moment by the clock of the databases, since rows are compared with it. */
export const databaseNow = (url: string): Promise<string> =>
  withClient(
    url,
    async (client) => (await client.query<{ now: string }>('select now()::text as now')).rows[0]?.now ?? '',
  );

/**
 * Whether a consumer has handled what a producer said since a moment; or, where it said nothing since, all that it ever said.
 * Waits for what is still under way.
 */
export async function heard(
  urls: Readonly<Record<string, string>>,
  [consumer, producer]: readonly [Contract, string],
  since: string,
): Promise<Outcome> {
  const link = { from: producer, to: consumer.service, kind: 'events' as const, quiet: false };
  const topics = consumer.consumes?.[producer] ?? [];
  const limit = Date.now() + patienceMs;
  for (;;) {
    const found = await look(urls, link, topics, since).catch((error: unknown) => causeOf(error));
    if (typeof found !== 'string' && found.lacking === 0) {
      const { quiet, wanted } = found;
      const words = quiet ? `nothing was said now; all ${wanted} said before are there` : `${wanted} handled`;
      return { ...link, quiet, ok: true, detail: `${topics.join(', ')}: ${words}` };
    }
    if (Date.now() > limit) {
      const words = typeof found === 'string' ? found : `${found.lacking} of ${found.wanted} not handled`;
      return { ...link, quiet: false, ok: false, detail: `${topics.join(', ')}: ${words}` };
    }
    await delay(500);
  }
}

/** How many events are looked for, and how many of them the consumer has not handled. */
async function look(
  urls: Readonly<Record<string, string>>,
  { from, to }: { from: string; to: string },
  topics: readonly string[],
  since: string,
): Promise<{ quiet: boolean; wanted: number; lacking: number }> {
  const said = await withClient(urls[from] ?? '', async (client) => {
    const text = `select id, created_at >= $2 as fresh from outbox where topic = any($1) order by position desc limit 500`;
    return (await client.query<{ id: string; fresh: boolean }>(text, [topics, since])).rows;
  });
  const fresh = said.filter((event) => event.fresh);
  const wanted = (fresh.length > 0 ? fresh : said).map(({ id }) => id);
  const handled = await withClient(urls[to] ?? '', async (client) => {
    const text = `select count(*)::int as count from inbox where source = $1 and id = any($2) and status = 'handled'`;
    return (await client.query<{ count: number }>(text, [eventSource(from), wanted])).rows[0]?.count ?? 0;
  });
  return { quiet: fresh.length === 0, wanted: wanted.length, lacking: wanted.length - handled };
}
