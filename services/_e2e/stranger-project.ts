import { mkdir, mkdtemp, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { repository } from '../../tools/mesh/home.ts';

const app = z.looseObject({ appID: z.string(), env: z.record(z.string(), z.string()) });
const runFile = z.looseObject({ common: z.looseObject({ resourcesPaths: z.array(z.string()) }), apps: z.array(app) });

/**
 * This repository as a project in which another program is fulfillment: same sidecar, tokens, ports and policies. Of
 * fulfillment itself there is only its past (the seed); its tables are those that contracts/ names.
 */
export async function createStrangerProject(program: string): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'sidecart-stranger-'));
  await mkdir(join(root, 'dapr-config'));
  await writeFile(join(root, 'dapr-config/dapr.yaml'), await runFileWith(program));
  await mkdir(join(root, 'services'));
  await symlink(join(repository, 'services/_chassis'), join(root, 'services/_chassis'));
  for (const service of await readdir(join(repository, 'services'))) {
    if (!/^[a-z]/.test(service)) continue;
    const [from, to] = [join(repository, 'services', service), join(root, 'services', service)];
    await mkdir(to);
    for (const part of await readdir(from)) {
      // Not a link: the seed's own imports are relative to where it really lies.
      if (part === 'seed.ts') await writeFile(join(to, part), `export { seed } from '${join(from, part)}';\n`);
      else if (service !== 'fulfillment') await symlink(join(from, part), join(to, part));
    }
  }
  await mkdir(join(root, 'services/fulfillment/migrations'));
  await symlink(
    join(repository, 'contracts/fulfillment/tables.sql'),
    join(root, 'services/fulfillment/migrations/0001_create_tables.sql'),
  );
  return root;
}

async function runFileWith(program: string): Promise<string> {
  const { common, apps, ...rest } = runFile.parse(
    parse(await readFile(join(repository, 'dapr-config/dapr.yaml'), 'utf8')),
  );
  return stringify({
    ...rest,
    common: {
      ...common,
      resourcesPaths: common.resourcesPaths.map((path) => join(repository, 'dapr-config', path)),
      configFilePath: join(repository, 'dapr-config/config.yaml'),
    },
    apps: apps.map((one) => ({
      ...one,
      appDirPath: repository,
      ...(one.appID === 'fulfillment' && {
        command: [program],
        env: { ...one.env, CONTRACTS: join(repository, 'contracts') },
      }),
    })),
  });
}
