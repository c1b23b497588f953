import { exec } from 'node:child_process';
import { mkdir, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { repository } from '../../../tools/mesh/home.ts';
import { findCompose } from '../../../tools/setup/locate.mjs';
import { readmeCommands } from '../clone.ts';

// `docker compose` is what is typed, wherever Compose is.
const configuration = join(repository, '.data', 'docker');
beforeAll(async () => {
  const found = findCompose();
  if (!found || found.args.length > 0) return;
  await mkdir(join(configuration, 'cli-plugins'), { recursive: true });
  await rm(join(configuration, 'cli-plugins', 'docker-compose'), { force: true });
  await symlink(found.path, join(configuration, 'cli-plugins', 'docker-compose'));
  process.env['DOCKER_CONFIG'] = configuration;
});

describe('the README, for containers', () => {
  it('when its commands are typed one after another, each does what it says', async () => {
    const [commands = [], ...others] = (await readmeCommands()).get('In containers') ?? [];
    expect(others).toEqual([]);
    const [up = '', ...more] = commands;
    // The suite and the end are what this stage of tests does itself.
    const [suite = '', down = ''] = more.splice(-2);
    expect([up, suite, down]).toEqual([
      'docker compose up -d --wait',
      'docker compose --profile cicd run --rm suite',
      'docker compose down',
    ]);
    const said: string[] = [];
    for (const line of [up, ...more]) said.push((await promisify(exec)(line, { cwd: repository })).stdout);
    expect(said.join('\n')).toMatch(/ada@example\.com.*clean: \d+ orders/s);
  });
});
