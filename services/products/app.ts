import { startDueWork } from '../_chassis/due-work.ts';
import type { App, ServiceDeps } from '../_chassis/service.ts';
import { createCache } from './cache.ts';
import { createEntries } from './entries.ts';
import { methods } from './methods.ts';
import { cacheSource, refreshKind } from './store.ts';

/** Milliseconds: an entry's life, the rest after the state store failed, how long hits are trusted, the worker's pace. */
export interface Settings {
  readonly ttlMs: number;
  readonly pauseMs: number;
  readonly trustMs: number;
  readonly refreshIntervalMs: number;
}

/** Products as a function of what it stands on. */
export function buildApp({ database, sidecar, log }: ServiceDeps, settings: Settings): App {
  const entries = createEntries({ state: sidecar, log, ...settings });
  const cache = createCache({ entries, source: cacheSource(database), log, ...settings });
  return {
    methods: methods({ database, cache }),
    startWorkers: () => [
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
    ],
  };
}
