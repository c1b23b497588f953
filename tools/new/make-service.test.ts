import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { check, resolveConfig } from 'prettier';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readComposeFile } from '../compose/compose-file.ts';
import { missingParts } from '../compose/pod.ts';
import { repository } from '../mesh/home.ts';
import { readRunFile } from '../mesh/run-file.ts';
import { makeService, type Made } from './make-service.ts';
import { namesOf } from './names.ts';

let root: string;
let made: Made;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'sidecart-new-'));
  const services = ['services/_template', 'services/auth', 'services/orders'];
  for (const part of [...services, 'dapr-config', 'components', 'eslint.config.js', 'compose.yaml'])
    await cp(join(repository, part), join(root, part), { recursive: true });
  for (const file of ['.prettierrc.json', '.prettierignore']) await cp(join(repository, file), join(root, file));
  made = await makeService(root, namesOf('lost-umbrellas'));
});
afterAll(() => rm(root, { recursive: true }));

const textOf = (file: string, folder = root) => readFile(join(folder, file), 'utf8');

describe('makeService', () => {
  it('when it is done, each file has the new name, in its own name too, and nothing is left of the old one', async () => {
    expect(made.files).toContain('services/lost-umbrellas/lost-umbrella.ts');
    expect(made.files).toContain('services/lost-umbrellas/migrations/0002_create_lost_umbrellas.sql');
    for (const file of made.files) expect(`${file} ${await textOf(file)}`).not.toMatch(/field.?note|template/i);
  });

  it('when it is done, all that it wrote is formatted', async () => {
    for (const file of [...made.files, ...made.registers].filter((one) => /\.(ts|js|yaml)$/.test(one))) {
      const filepath = join(root, file);
      expect([file, await check(await textOf(file), { ...(await resolveConfig(filepath)), filepath })]).toEqual([
        file,
        true,
      ]);
    }
  });

  it('when it is named somewhere, that is all that changed there: lines of its own, or its name in a line', async () => {
    for (const file of made.registers) {
      const now = (await textOf(file)).split('\n');
      const gone = (await textOf(file, repository)).split('\n').filter((line) => !now.includes(line));
      const unnamed = now.map((line) => line.replace(/, '?lost-umbrellas'?/, ''));
      expect([file, gone.filter((line) => !unnamed.includes(line))]).toEqual([file, []]);
      expect(now.join('\n')).toContain('lost-umbrellas');
    }
  });

  it('when it is done, nothing of it is missing in compose.yaml', async () => {
    const app = (await readRunFile(join(root, 'dapr-config/dapr.yaml'))).find(({ id }) => id === 'lost-umbrellas');
    if (!app) throw new Error('it has no entry in the run file');
    expect(missingParts(await readComposeFile(root), app)).toEqual([]);
  });

  it('when it is there already, it is refused and nothing changes', async () => {
    const before = await textOf('dapr-config/dapr.yaml');
    await expect(makeService(root, namesOf('lost-umbrellas'))).rejects.toThrow(
      'services/lost-umbrellas is there already',
    );
    expect(await textOf('dapr-config/dapr.yaml')).toBe(before);
  });
});
