import { setTimeout as delay } from 'node:timers/promises';
import type { Entries, Entry, Seen } from './cache-entries.ts';
import type { Log } from './log.ts';

/** The rows behind the cache. */
export interface CacheSource<Value> {
  load(tenant: string, id: string): Promise<Entry<Value> | undefined>;
  /** Keys whose entry may be older than their row, because the write that changed it has not put the new one in yet. */
  outdated(): Promise<string[]>;
  /** Notes that this version is in the cache, and gives the row's version now. */
  settle(tenant: string, id: string, version: number): Promise<number | undefined>;
  versionOf(tenant: string, id: string): Promise<number | undefined>;
}

export interface Cache<Value> {
  /** The value, undefined when it is gone or was never there; never older than a write that was answered before. */
  read(tenant: string, id: string): Promise<{ value: Value | undefined; cache: 'hit' | 'miss' }>;
  /** Called after a write's commit and before its answer: afterwards nobody is given an older version. */
  settle(tenant: string, id: string): Promise<void>;
  /** Makes the entry as new as the row; false when the state store is away. */
  refresh(tenant: string, id: string): Promise<boolean>;
}

interface Load<Value> {
  readonly begun: number;
  readonly row: Promise<Entry<Value> | undefined>;
}

const maxTries = 10;

/** The name of an entry, and of the work that brings it up to date. */
export const cacheKey = (tenant: string, id: string): string => `${tenant}/${id}`;

/**
 * Cache-aside over entries that carry their version. Nothing is ever deleted: an entry is only replaced, by its ETag and
 * by a newer version, because Redis numbers the ETags of a deleted key from 1 again and a slow reader's conditional fill
 * would then fit an entry that it has never seen. Where keys vanish all the same (a flush, their TTL), whoever put an
 * entry in looks at the row's version once more.
 *
 * A write that can't reach the state store leaves its key in the list of outdated ones (its due work) and answers only
 * after `trustMs`; every process looks at that list before it trusts a hit, unless it has done so within `trustMs`.
 */
export function createCache<Value>(deps: {
  entries: Entries<Value>;
  source: CacheSource<Value>;
  log: Log;
  trustMs: number;
}): Cache<Value> {
  const { entries, source, log, trustMs } = deps;
  const loads = new Map<string, Load<Value>>();
  let clock = 0;
  let looked = { at: Number.NEGATIVE_INFINITY, outdated: new Set<string>() };
  let looking: Promise<void> | undefined;
  let askedAt = Number.NEGATIVE_INFINITY;
  let blind = false;

  async function look(): Promise<void> {
    const at = performance.now();
    askedAt = at;
    try {
      looked = { at, outdated: new Set(await source.outdated()) };
      blind = false;
    } catch (error) {
      // Without the database no row can be changed either, so hits go on being served.
      if (!blind) log.warn({ err: error }, 'outdated entries not known; cache hits are taken on trust');
      blind = true;
    }
  }

  /** The list of outdated keys, asked for ahead of its end so that a steady stream of hits never waits for it. */
  async function currentList(): Promise<typeof looked> {
    const now = performance.now();
    if (now - askedAt > trustMs / 2) looking ??= look().finally(() => (looking = undefined));
    if (now - looked.at >= trustMs && !blind) await looking;
    return looked;
  }

  async function load(tenant: string, id: string, seen: Seen<Value> | 'away'): Promise<Entry<Value> | undefined> {
    const key = cacheKey(tenant, id);
    const row = await source.load(tenant, id);
    if (!row || seen === 'away' || row.version <= (seen.entry?.version ?? 0)) return row;
    const put = await entries.put(key, row, seen);
    if (put === 'put' && (await source.versionOf(tenant, id)) !== row.version) await refresh(tenant, id);
    return row;
  }

  async function refresh(tenant: string, id: string): Promise<boolean> {
    const key = cacheKey(tenant, id);
    for (let tries = 0; tries < maxTries; tries++) {
      const row = await source.load(tenant, id);
      if (!row) return true;
      const seen = await entries.get(key);
      if (seen === 'away') return false;
      if ((seen.entry?.version ?? 0) < row.version) {
        const put = await entries.put(key, row, seen);
        if (put === 'away') return false;
        if (put === 'beaten') continue;
      }
      if ((await source.settle(tenant, id, row.version)) === row.version) return true;
    }
    return false;
  }

  return {
    async read(tenant, id) {
      const key = cacheKey(tenant, id);
      const started = ++clock;
      for (;;) {
        // The list comes before the entry: an entry that was brought up to date in between is then read as it is now.
        const list = await currentList();
        const seen = await entries.get(key);
        const trusted = !list.outdated.has(key) && (blind || performance.now() - list.at < trustMs);
        if (seen !== 'away' && seen.entry && trusted) return { value: seen.entry.value ?? undefined, cache: 'hit' };

        let joined = loads.get(key);
        if (joined && joined.begun < started) {
          // It may have read the row before a write that this reader has to see; what it leaves in the cache will do.
          await joined.row.catch(() => undefined);
          continue;
        }
        if (!joined) {
          const row = load(tenant, id, seen).finally(() => loads.delete(key));
          joined = { begun: ++clock, row };
          loads.set(key, joined);
        }
        return { value: (await joined.row)?.value ?? undefined, cache: 'miss' };
      }
    },
    refresh,
    async settle(tenant, id) {
      if (!(await refresh(tenant, id))) await delay(trustMs + 5); // timers may be a little early
    },
  };
}
