import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UserError } from '../mesh/user-error.ts';
import { compose, ensureEngine, type Engine } from './engine.ts';

let engine: Engine;
let folder: string;

beforeAll(async () => {
  engine = await ensureEngine();
  folder = await mkdtemp(join(tmpdir(), 'sidecart-compose-'));
  await writeFile(
    join(folder, 'compose.yaml'),
    'name: sidecart-none\nservices: { idle: { image: "busybox:${TAG}" } }\n',
  );
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
  await engine.stop();
});

describe('ensureEngine', () => {
  it('gives an engine that answers', async () => {
    expect(String(await engine.docker.ping())).toBe('OK');
  });

  it('when an engine answers, it starts none, and stopping leaves that one alone', async () => {
    const again = await ensureEngine();
    expect(again.started).toBe(false);
    await again.stop();
    expect(String(await engine.docker.ping())).toBe('OK');
  });
});

describe('compose', () => {
  it('reads the file of the folder, with the variables that are given', async () => {
    expect(await compose(['config', '--images'], { cwd: folder, env: { TAG: '1' } })).toBe('busybox:1\n');
  });

  it('asks the same engine', async () => {
    const projects: unknown = JSON.parse(await compose(['ls', '--all', '--format', 'json'], { cwd: folder }));
    expect(projects).toBeInstanceOf(Array);
  });

  it('when it fails, it says with what arguments and why', async () => {
    const failure: unknown = await compose(['logs', 'nobody'], { cwd: folder, env: { TAG: '1' } }).catch(
      (e: unknown) => e,
    );
    expect(failure).toBeInstanceOf(UserError);
    expect(String(failure)).toMatch(/docker compose logs nobody failed[^]*nobody/);
  });
});
