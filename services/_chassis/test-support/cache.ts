import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { cacheKey, createCache, type Cache, type CacheSource } from '../cache.ts';
import { createEntries, entryOf, type Entry } from '../cache-entries.ts';
import { DependencyError } from '../errors.ts';
import { createLog } from '../log.ts';
import { createMemorySidecar } from './sidecar.ts';

const log = createLog('things', 'silent');
const thing = z.object({ name: z.string(), version: z.number() });
type Thing = z.infer<typeof thing>;
export const tenant = 'main';
export const id = 'p';
export const key = cacheKey(tenant, id);

/** What may happen on the way to the rows or to the state store; a test puts delays, gates and failures in. */
export type Way = (step: 'load' | 'outdated' | 'get' | 'put' | 'answer') => Promise<void> | void;

/** A thing in a database and a state store of its own, in memory, and as many replicas of the cache as a test wants. */
export function createWorld() {
  const sidecar = createMemorySidecar();
  let row: Entry<Thing> = { version: 0, value: null };
  const due = new Map<string, number>();
  const asked: string[] = [];
  const stored: number[] = [];

  function replica(way: Way = () => undefined, settings: { pauseMs?: number; trustMs?: number } = {}): Cache<Thing> {
    const { pauseMs = 20, trustMs = 2_000 } = settings;
    const source: CacheSource<Thing> = {
      async load() {
        asked.push('load');
        const found = row;
        await way('load');
        return found;
      },
      async outdated() {
        const keys = [...due.keys()];
        await way('outdated');
        return keys;
      },
      async settle(_tenant, _id, version) {
        if (due.get(key) === version) due.delete(key);
        return row.version;
      },
      versionOf: async () => row.version,
    };
    const state: Parameters<typeof createEntries>[0]['state'] = {
      async getState(name) {
        asked.push('get');
        await way('get');
        const found = await sidecar.getState(name);
        await way('answer');
        return found;
      },
      async setState(name, value, options) {
        await way('put');
        const done = await sidecar.setState(name, value, options);
        if (done) stored.push(entryOf(thing).parse(value).version);
        await way('answer');
        return done;
      },
    };
    const entries = createEntries({ value: thing, state, log, ttlMs: 300_000, pauseMs });
    return createCache({ entries, source, log, trustMs });
  }

  return {
    sidecar,
    due,
    asked,
    /** The versions that the state store took, one after the other. */
    stored,
    replica,
    /** Commits the thing's next version, with its due work; the cache does not know of it yet. */
    commit(gone = false): number {
      const version = row.version + 1;
      row = { version, value: gone ? null : { name: `v${version}`, version } };
      due.set(key, version);
      return version;
    },
    entry: async () => (await sidecar.getState(key))?.value,
    row: () => row,
  };
}

/** A way that waits a little at random, and fails at random where state is concerned, applied or not. */
export const roughWay =
  (random: () => number, failing: () => boolean): Way =>
  async (step) => {
    if (random() < 0.7) await delay(random() * 4);
    if (failing() && ['get', 'put', 'answer'].includes(step) && random() < 0.5)
      throw new DependencyError('statestore', 'unreachable');
  };

/** Lets one step wait until the test opens it; `reached` tells when somebody stands there. */
export function gate() {
  const reached = Promise.withResolvers<void>();
  const opened = Promise.withResolvers<void>();
  return {
    reached: reached.promise,
    open: () => opened.resolve(),
    pass: () => (reached.resolve(), opened.promise),
  };
}

type World = ReturnType<typeof createWorld>;
type Replica = ReturnType<World['replica']>;

/** Reads the thing as a text: name, and hit or miss. */
export const read = async (cache: Replica) => {
  const { value, cache: from } = await cache.read(tenant, id);
  return `${value?.name ?? 'nothing'} ${from}`;
};
/** Commits the next version and settles it, as a method does before it answers. */
export const write = async (world: World, cache: Replica, gone = false) => {
  const version = world.commit(gone);
  await cache.settle(tenant, id);
  return version;
};
/** Short enough to wait for. */
export const brief = { trustMs: 20 };
/** How often the row was loaded. */
export const loads = (world: World) => world.asked.filter((step) => step === 'load').length;
/** The way of a replica that cannot reach the state store. */
export const cutOff: Way = (step) => {
  if (step === 'get') throw new DependencyError('statestore', 'unreachable');
};
/** Lets the n-th passing of a step wait at a gate. */
export const onNth = (n: number, step: string, held: ReturnType<typeof gate>): Way => {
  let passings = 0;
  return (passed) => (passed === step && ++passings === n ? held.pass() : undefined);
};
/** Lets the first passing of a step wait at a gate. */
export const onFirst = (step: string, held: ReturnType<typeof gate>): Way => onNth(1, step, held);
