import { createLog } from '../_chassis/log.ts';
import { createMetrics } from '../_chassis/metrics.ts';
import { listenHttp } from '../_chassis/listen.ts';
import { createTestDatabase, type TestDatabase } from '../_chassis/test-support/database.ts';
import { buildApp, type BankSettings } from './app.ts';

/** For tests: the real bank on a free port and, unless one is given, on a database of its own. */
export type Bank = Awaited<ReturnType<typeof startBank>>;

export const amount = { amount: 1_250, currency: 'EUR' };

/** Starts a bank; `close` lets go of the requests that wait, and drops the database if it is the bank's own. */
export async function startBank(settings: BankSettings, given?: TestDatabase) {
  const database = given ?? (await createTestDatabase('bank', new URL('./migrations', import.meta.url), 4));
  const stopping = new AbortController();
  const deps = { database: database.across, log: createLog('bank', 'silent'), metrics: createMetrics('bank') };
  const listening = await listenHttp(buildApp({ ...deps, stopping: stopping.signal }, settings), 0);

  async function ask(verb: string, path: string, body?: unknown, timeoutMs = 10_000) {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const response = await fetch(`http://127.0.0.1:${listening.port}${path}`, {
      method: verb,
      signal: AbortSignal.timeout(timeoutMs),
      ...(body !== undefined && { body: text, headers: { 'content-type': 'application/json' } }),
    });
    return { status: response.status, body: (await response.json()) as { status?: string; reason?: string } };
  }
  const get = (key: string) => ask('GET', `/charges/${key}`);

  return {
    database,
    port: listening.port,
    ask,
    get,
    charge: (key: string, token = 'tok_ok', timeoutMs?: number) =>
      ask('POST', '/charges', { key, amount, token }, timeoutMs),
    reverse: (key: string) => ask('POST', `/charges/${key}/reversal`),
    statusOf: async (key: string) => (await get(key)).body.status,
    /** The movements of money for a key, oldest first. */
    async entriesOf(key: string): Promise<[kind: string, amount: number][]> {
      const rows = await database.query<{ kind: string; amount: string }>(
        'select kind, amount from entries where key = $1 order by id',
        [key],
      );
      return rows.map((row) => [row.kind, Number(row.amount)]);
    },
    async close() {
      stopping.abort();
      await listening.close();
      if (!given) await database.close();
    },
  };
}
