import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { DependencyError } from '../_chassis/errors.ts';
import { createWorld, gate, id, key, roughWay, tenant, type Way } from './test-support.ts';

type World = ReturnType<typeof createWorld>;
type Replica = ReturnType<World['replica']>;

const read = async (cache: Replica) => {
  const { product, cache: from } = await cache.read(tenant, id);
  return `${product?.name ?? 'nothing'} ${from}`;
};
const write = async (world: World, cache: Replica, retired = false) => {
  const version = world.commit(retired);
  await cache.settle(tenant, id);
  return version;
};
/** Short enough to wait for. */
const brief = { trustMs: 20 };
const loads = (world: World) => world.asked.filter((step) => step === 'load').length;
/** The way of a replica that cannot reach the state store. */
const cutOff: Way = (step) => {
  if (step === 'get') throw new DependencyError('statestore', 'unreachable');
};
/** Lets the first passing of a step wait at a gate. */
const onFirst = (step: string, held: ReturnType<typeof gate>): Way => {
  let first = true;
  return (passed) => {
    if (passed !== step || !first) return undefined;
    first = false;
    return held.pass();
  };
};

describe('read', () => {
  it('when 50 read what the cache has not, the row is loaded once, and then not at all', async () => {
    const world = createWorld();
    world.commit();
    world.due.clear();
    const cache = world.replica(() => delay(1));

    expect(new Set(await Promise.all(Array.from({ length: 50 }, () => read(cache))))).toEqual(new Set(['v1 miss']));
    expect(await read(cache)).toBe('v1 hit');
    expect(loads(world)).toBe(1);
  });

  it('when readers come while a row is being loaded, what that leaves in the cache is enough for them', async () => {
    const world = createWorld();
    world.commit();
    world.due.clear();
    const held = gate();
    const cache = world.replica(onFirst('load', held));
    const first = read(cache);
    await held.reached;
    const later = Array.from({ length: 20 }, () => read(cache));
    held.open();

    expect(await first).toBe('v1 miss');
    expect(new Set(await Promise.all(later))).toEqual(new Set(['v1 hit']));
    expect(loads(world)).toBe(1);
  });

  it('when the product is retired, that is remembered as well', async () => {
    const world = createWorld();
    const cache = world.replica();
    world.commit();
    await write(world, cache, true);

    expect(await read(cache)).toBe('nothing hit');
  });

  it('when an entry is not readable, it counts as none and is replaced', async () => {
    const world = createWorld();
    world.commit();
    world.due.clear();
    await world.sidecar.setState(key, { product: 'of another release' }, { ttlSeconds: 9 });
    const cache = world.replica();

    expect([await read(cache), await read(cache)]).toEqual(['v1 miss', 'v1 hit']);
  });

  it('when the database cannot say what is outdated, hits go on', async () => {
    const world = createWorld();
    let away = false;
    const cache = world.replica((step) => {
      if (away && step === 'outdated') throw new Error('the database is away');
    }, brief);
    await write(world, cache);
    away = true;
    await delay(25);

    expect([await read(cache), await read(cache)]).toEqual(['v1 hit', 'v1 hit']);
  });
});

describe('a read after an answered write', () => {
  it('when a load began before the write, it is not shared with who comes after the answer', async () => {
    const world = createWorld();
    world.commit();
    world.sidecar.down = true;
    const held = gate();
    const cache = world.replica(onFirst('load', held), brief);
    const early = read(cache);
    await held.reached;
    await write(world, cache);
    const late = read(cache);
    held.open();

    expect([await early, await late]).toEqual(['v1 miss', 'v2 miss']);
  });

  it('when a slow reader fills in the old row, the newer entry stands', async () => {
    const world = createWorld();
    world.commit();
    const held = gate();
    const slow = read(world.replica(onFirst('put', held)));
    await held.reached;
    const cache = world.replica();
    await write(world, cache);
    held.open();

    expect(await slow).toBe('v1 miss');
    expect(await world.entry()).toEqual(world.row());
    expect(await read(cache)).toBe('v2 hit');
  });

  it('when a slow reader still has to load the row, it replaces only what it saw before', async () => {
    const world = createWorld();
    world.commit();
    const held = gate();
    const slow = read(world.replica(onFirst('load', held)));
    await held.reached;
    await write(world, world.replica());
    held.open();

    expect(await slow).toBe('v1 miss');
    expect(world.stored).toEqual([2]);
  });

  it('when the writer alone cannot reach the state store, the others do not trust their hits', async () => {
    const world = createWorld();
    const other = world.replica(undefined, brief);
    await write(world, other);
    expect(await read(other)).toBe('v1 hit');
    await write(world, world.replica(cutOff, brief));

    expect(await read(other)).toBe('v2 miss');
    expect(world.due.size).toBe(1);
    expect(await other.refresh(tenant, id)).toBe(true);
    await delay(25);
    expect([await read(other), world.due.size]).toEqual(['v2 hit', 0]);
  });

  it('when the list of outdated entries was slow to come, it is too old to trust a hit by', async () => {
    const world = createWorld();
    await write(world, world.replica());
    const held = gate();
    const cache = world.replica(onFirst('outdated', held), brief);
    const early = read(cache);
    await held.reached;
    await write(world, world.replica(cutOff, brief));
    const late = read(cache);
    held.open();
    await early;

    expect(await late).toBe('v2 miss');
  });

  it('when the entry is brought up to date while a reader looks, the old one in its hand is not trusted', async () => {
    const world = createWorld();
    const writer = world.replica();
    await write(world, writer);
    world.commit();
    const held = gate();
    const reading = read(world.replica(onFirst('answer', held)));
    await held.reached;
    await writer.refresh(tenant, id);
    held.open();

    expect(await reading).toBe('v2 miss');
  });

  it.each([1, 2, 3])(
    'when 100 worlds of readers, writers and failures run, none is shown less (seed %i)',
    async (n) => {
      let seed = n;
      const random = () => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
      await Promise.all(Array.from({ length: 100 }, (_, index) => interleave(random, index % 2 === 0)));
    },
    60_000,
  );
});

/** Two replicas, three writers and six readers in random order and pace; each reader must see what was answered before. */
async function interleave(random: () => number, faults: boolean): Promise<void> {
  const world = createWorld();
  let rough = faults;
  const replicas = [1, 2].map(() =>
    world.replica(
      roughWay(random, () => rough),
      { pauseMs: 5, trustMs: 15 },
    ),
  );
  const some = () => replicas[Math.floor(random() * 2)] ?? world.replica();
  let answered = await write(world, world.replica());
  const writer = async () => {
    for (let n = 0; n < 3; n++) {
      await delay(random() * 10);
      const version = await write(world, some());
      answered = Math.max(answered, version);
    }
  };
  const reader = async () => {
    for (let n = 0; n < 10; n++) {
      const least = answered;
      const { product, cache } = await some().read(tenant, id);
      expect(product?.version, cache).toBeGreaterThanOrEqual(least);
      if (random() < 0.3) await delay(random() * 5);
    }
  };
  await Promise.all([...Array.from({ length: 3 }, writer), ...Array.from({ length: 6 }, reader)]);

  rough = false;
  await world.replica().refresh(tenant, id);
  expect([await world.entry(), world.due.size]).toEqual([world.row(), 0]);
  expect(world.stored).toEqual([...new Set(world.stored)].sort((one, other) => one - other));
}

describe('keys that vanish', () => {
  it('when the store loses everything under a slow reader, its old entry is mended', async () => {
    const world = createWorld();
    world.commit();
    const held = gate();
    const slow = read(world.replica(onFirst('put', held)));
    await held.reached;
    const cache = world.replica();
    await write(world, cache);
    world.sidecar.flush();
    held.open();
    await slow;

    expect(await world.entry()).toEqual(world.row());
  });

  it('when an ETag is given out again, the entry that it fits by chance is mended', async () => {
    const world = createWorld();
    const cache = world.replica();
    await write(world, cache); // v1 under ETag 1
    world.commit();
    const held = gate();
    const slow = read(world.replica(onFirst('put', held))); // holds v2, to replace ETag 1
    await held.reached;
    world.sidecar.flush();
    await write(world, cache); // v3 under ETag 1
    held.open();
    await slow;

    expect(await world.entry()).toEqual(world.row());
    expect(world.row().version).toBe(3);
  });
});

describe('a dead state store', () => {
  it('when it is dead, it is asked once a pause, and used again once it is back', async () => {
    const world = createWorld();
    world.commit();
    world.due.clear();
    const cache = world.replica(undefined, { pauseMs: 50 });
    world.sidecar.down = true;
    for (let n = 0; n < 100; n++) expect(await read(cache)).toBe('v1 miss');
    expect(world.asked.filter((step) => step === 'get').length).toBeLessThanOrEqual(3);

    world.sidecar.down = false;
    await delay(60);
    while ((await read(cache)) !== 'v1 hit') await delay(5);
  });

  it('when a write finds it dead, the write is answered and its due work stays', async () => {
    const world = createWorld();
    const cache = world.replica(undefined, brief);
    await write(world, cache);
    world.sidecar.down = true;
    await write(world, cache);
    expect(world.due.get(key)).toBe(2);
    expect(await read(cache)).toBe('v2 miss');

    world.sidecar.down = false;
    while (!(await cache.refresh(tenant, id))) await delay(5);
    expect([await world.entry(), world.due.size]).toEqual([world.row(), 0]);
  });
});
