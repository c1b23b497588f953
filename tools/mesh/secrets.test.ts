import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ensureSecrets, readSecrets, secretNamed } from './secrets.ts';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sidecart-secrets-'));
  path = join(folder, 'secrets.json');
});
afterEach(() => rm(folder, { recursive: true }));

describe('ensureSecrets', () => {
  it('when there are none, generates all of them for this user alone, each different', async () => {
    const secrets = await ensureSecrets(path, ['orders', 'bank']);
    expect(Object.keys(secrets).sort()).toEqual([
      'authCookieKey',
      'authSealingKey',
      'bankDatabasePassword',
      'ordersDatabasePassword',
      'peoplePassword',
      'postgresPassword',
      'redisPassword',
      'reporterClientSecret',
    ]);
    expect(new Set(Object.values(secrets)).size).toBe(8);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it('when a service is new, adds its password and keeps the rest', async () => {
    const before = await ensureSecrets(path, ['orders']);
    const after = await ensureSecrets(path, ['orders', 'carts']);
    expect(after).toMatchObject(before);
    expect(await readSecrets(path)).toEqual(after);
    expect(secretNamed(after, 'cartsDatabasePassword')).toMatch(/^[\w-]{32}$/);
  });

  it('when nothing is missing, leaves the file alone', async () => {
    await ensureSecrets(path, ['orders']);
    const text = await readFile(path, 'utf8');
    await ensureSecrets(path, ['orders']);
    expect(await readFile(path, 'utf8')).toBe(text);
  });

  it('when the file is not what it should be, says so', async () => {
    await writeFile(path, '{"redisPassword": 1}');
    await expect(ensureSecrets(path, [])).rejects.toThrow(/flat JSON object of strings/);
  });
});
