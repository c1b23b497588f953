import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import {
  brief,
  createWorld,
  cutOff,
  gate,
  id,
  onFirst,
  onNth,
  read,
  roughWay,
  tenant,
  write,
} from './test-support/cache.ts';

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

  it('when a slow reader’s old row slips in before the write’s own entry, the write replaces it before it answers', async () => {
    const world = createWorld();
    world.commit();
    const [filling, filled, writing] = [gate(), gate(), gate()];
    const [toFill, afterFill] = [onFirst('put', filling), onNth(2, 'answer', filled)];
    const slow = read(world.replica((step) => toFill(step) ?? afterFill(step)));
    await filling.reached; // with v1 in its hand
    world.commit();
    const answer = world.replica(onFirst('put', writing)).settle(tenant, id);
    await writing.reached; // has seen no entry
    filling.open();
    await filled.reached;
    writing.open();
    await answer;

    expect(world.stored).toEqual([1, 2]);
    expect(await world.entry()).toEqual(world.row());
    filled.open();
    await slow;
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

  it('when an entry is brought up to date while it is read, the old one in the reader’s hand is not trusted', async () => {
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
      const { value, cache } = await some().read(tenant, id);
      expect(value?.version, cache).toBeGreaterThanOrEqual(least);
      if (random() < 0.3) await delay(random() * 5);
    }
  };
  await Promise.all([...Array.from({ length: 3 }, writer), ...Array.from({ length: 6 }, reader)]);

  rough = false;
  await world.replica().refresh(tenant, id);
  expect([await world.entry(), world.due.size]).toEqual([world.row(), 0]);
  expect(world.stored).toEqual([...new Set(world.stored)].sort((one, other) => one - other));
}
