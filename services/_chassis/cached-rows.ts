import { z } from 'zod';
import { cacheKey, createCache, type Cache, type CacheSource } from './cache.ts';
import { createEntries, type Entry } from './cache-entries.ts';
import type { Database, Queryable, Transaction } from './database.ts';
import { schedule, startDueWork } from './due-work.ts';
import type { Log } from './log.ts';
import type { Sidecar } from './sidecar.ts';
import type { Worker } from './worker.ts';

/** Milliseconds: an entry's life, the rest after the state store failed, how long hits are trusted, the worker's pace. */
export interface CacheSettings {
  readonly ttlMs: number;
  readonly pauseMs: number;
  readonly trustMs: number;
  readonly refreshIntervalMs: number;
}

/** Rows of a table with `tenant`, `id` and `version`, and what of them is cached. */
export interface CachedRows<Value> {
  readonly table: string;
  readonly value: z.ZodType<Value>;
  readonly load: (db: Queryable, tenant: string, id: string) => Promise<Entry<Value> | undefined>;
}

const refreshKind = 'refresh-cache';
// A write updates the cache itself; its due work is for the write that can't, or that dies on the way.
const refreshAfterMs = 1_000;
const versionRow = z.object({ version: z.number().int() });

/** A cache of a table's rows, and the worker that brings an entry up to date where the write could not. */
export function cacheRows<Value>(
  rows: CachedRows<Value>,
  deps: { database: Database; sidecar: Sidecar; log: Log },
  settings: CacheSettings,
): { cache: Cache<Value>; startRefreshing: () => Worker } {
  const { database, sidecar, log } = deps;
  const entries = createEntries({ value: rows.value, state: sidecar, log, ...settings });
  const cache = createCache({ entries, source: sourceOf(database, rows), log, ...settings });
  return {
    cache,
    startRefreshing: () =>
      startDueWork({
        kind: refreshKind,
        database,
        log,
        batch: 20,
        leaseMs: 2_000,
        idleMs: settings.refreshIntervalMs,
        // What can't be done stays leased, and comes again when the lease ends.
        perform: async ({ tenant, subject }) => void (await cache.refresh(tenant, subject.slice(tenant.length + 1))),
      }),
  };
}

/** Notes, in the transaction of a row's next version, that the cache has yet to learn of it. */
export const outdate = (tx: Transaction, tenant: string, id: string, version: number): void =>
  schedule(tx, {
    kind: refreshKind,
    subject: cacheKey(tenant, id),
    tenant,
    state: String(version),
    inMs: refreshAfterMs,
  });

/** How far the cache is behind its rows is written in the due work. */
const sourceOf = <Value>(db: Database, { table, load }: CachedRows<Value>): CacheSource<Value> => ({
  load: (tenant, id) => load(db.of(tenant), tenant, id),
  async outdated() {
    const found = await db.across.query<{ subject: string }>('select subject from due_work where kind = $1', [
      refreshKind,
    ]);
    return found.map((row) => row.subject);
  },
  async settle(tenant, id, version) {
    const found = await db.of(tenant).query(
      `with done as (delete from due_work where kind = $3 and subject = $4 and state = $5)
       select version from ${table} where tenant = $1 and id = $2`,
      [tenant, id, refreshKind, cacheKey(tenant, id), String(version)],
    );
    return found[0] && versionRow.parse(found[0]).version;
  },
  async versionOf(tenant, id) {
    const found = await db.of(tenant).query(`select version from ${table} where tenant = $1 and id = $2`, [tenant, id]);
    return found[0] && versionRow.parse(found[0]).version;
  },
});
