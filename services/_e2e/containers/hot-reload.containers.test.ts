import { appendFile, cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compose } from '../../../tools/compose/engine.ts';
import { repository } from '../../../tools/mesh/home.ts';
import { execute, logsOf } from './project.ts';

const service = 'users';
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sidecart-reload-'));
  await cp(join(repository, 'services'), join(folder, 'services'), { recursive: true });
  const example = await readFile(join(repository, 'compose.override.example.yaml'), 'utf8');
  const override = join(folder, 'override.yaml');
  await writeFile(override, example.replaceAll('./services', join(folder, 'services')));
  await compose(['-f', 'compose.yaml', '-f', override, 'up', '-d', '--wait', '--no-deps', service]);
});
afterAll(async () => {
  await compose(['up', '-d', '--wait', '--no-deps', service]);
  await rm(folder, { recursive: true });
});

const isReady = () =>
  execute(service, ['/app/containers/app-healthy.sh']).then(
    () => true,
    () => false,
  );

describe('hot reload, as compose.override.example.yaml has it', () => {
  it('when a file is saved, a new process serves it within seconds, beside the same sidecar', async () => {
    const seconds: number[] = [];
    for (let round = 0; round < 5; round += 1) {
      const saved = Date.now();
      const isAnew = async () => (await logsOf(service, saved)).includes('"msg":"listening"');
      await appendFile(join(folder, 'services', service, 'app.ts'), `// ${round}\n`);
      await expect
        .poll(async () => (await isAnew()) && (await isReady()), { timeout: 60_000, interval: 50 })
        .toBe(true);
      seconds.push((Date.now() - saved) / 1_000);
    }
    // A second or two on two cores, the polling included; a start by a health check or a build takes far longer than this.
    expect(Math.min(...seconds)).toBeLessThan(15);
  });
});
