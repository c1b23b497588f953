import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isReachable } from './postgres-cluster.ts';

describe('isReachable', () => {
  it('when a folder above is private, is false for another user', async () => {
    const top = await mkdtemp(join(tmpdir(), 'sidecart-reach-'));
    const inner = join(top, 'inner');
    await mkdir(inner, { mode: 0o755 });
    const stranger = { uid: 65_533, gid: 65_533 };
    await chmod(top, 0o700);
    expect(await isReachable(inner, stranger)).toBe(false);
    // Passing through is enough; nobody has to list the folder.
    await chmod(top, 0o711);
    expect(await isReachable(inner, stranger)).toBe(true);
    expect(await isReachable(inner, { uid: process.getuid?.() ?? 0, gid: 65_533 })).toBe(true);
    await rm(top, { recursive: true });
  });
});
