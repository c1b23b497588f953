import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { brief, createWorld, gate, id, key, loads, onFirst, read, tenant, write } from './test-support/cache.ts';

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

  it('when it is gone, that is remembered as well', async () => {
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
    await world.sidecar.setState(key, { value: 'of another release' }, { ttlSeconds: 9 });
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

describe('a dead state store', () => {
  it('when it is dead, it is asked once a pause, and used again once it is back', async () => {
    const world = createWorld();
    world.commit();
    world.due.clear();
    const cache = world.replica(undefined, { pauseMs: 300 });
    world.sidecar.down = true;
    for (let n = 0; n < 100; n++) expect(await read(cache)).toBe('v1 miss');
    expect(world.asked.filter((step) => step === 'get').length).toBeLessThanOrEqual(3);

    world.sidecar.down = false;
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

  it('when it is an older write whose ETag fits by chance, the newer one is put back', async () => {
    const world = createWorld();
    const cache = world.replica();
    await write(world, cache); // v1 under ETag 1
    world.commit();
    const held = gate();
    const second = world.replica(onFirst('put', held)).settle(tenant, id); // holds v2, to replace ETag 1
    await held.reached;
    world.sidecar.flush();
    await write(world, cache); // v3 under ETag 1
    held.open();
    await second;

    expect(await world.entry()).toEqual(world.row());
    expect(world.due.size).toBe(0);
  });
});
