import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { repository } from './home.ts';

const app = `
import { createServer } from 'node:http';
const { APP_PORT, OPS_PORT, DAPR_HTTP_PORT } = process.env;
const outbound = () => fetch('http://127.0.0.1:' + DAPR_HTTP_PORT + '/v1.0/healthz/outbound').then((r) => r.status === 204, () => false);
createServer(async (_, response) => response.writeHead((await outbound()) ? 200 : 503).end()).listen(Number(OPS_PORT), '127.0.0.1');
createServer((request, response) => {
  request.resume();
  response.end(request.url === '/dapr/subscribe' ? '[]' : JSON.stringify({ env: process.env, headers: request.headers }));
}).listen(Number(APP_PORT), '127.0.0.1');
process.on('SIGTERM', () => process.exit(0));
`;
/** The ports of the first replica of the project's one service, `orders`. */
export const ports = { app: 18_084, ops: 16_584, http: 13_584, grpc: 14_584, internal: 15_584, metrics: 19_584 };
const runFile = `
version: 1
common:
  resourcesPaths: [../components, ../components/redis, ./resources]
  configFilePath: ./config.yaml
  apiListenAddresses: 127.0.0.1
  placementHostAddress: ''
  schedulerHostAddress: ''
apps:
  - appID: orders
    appDirPath: ../
    command: [node, services/orders/main.ts]
    appPort: ${ports.app}
    daprHTTPPort: ${ports.http}
    daprGRPCPort: ${ports.grpc}
    daprInternalGRPCPort: ${ports.internal}
    metricsPort: ${ports.metrics}
    env: { OPS_PORT: '${ports.ops}' }
`;
const seed = `
import type pg from 'pg';
export async function seed(client: pg.ClientBase): Promise<void> {
  await client.query("insert into things (tenant, id) values ('main', '1') on conflict do nothing");
}
`;

/**
 * A project in a temporary folder, with one small app, its table and seed, and this repository's components and policies;
 * on ports of its own, so that it can be started beside a mesh.
 */
export async function createThrowawayProject(redisPort: number): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'sidecart-project-'));
  for (const folder of ['components', 'dapr-config'])
    await cp(join(repository, folder), join(root, folder), { recursive: true });
  for (const file of [
    'components/statestore.yaml',
    'components/redis/pubsub.yaml',
    'components/redis/ratelimits.yaml',
  ]) {
    const text = await readFile(join(root, file), 'utf8');
    await writeFile(join(root, file), text.replace('16379', String(redisPort)));
  }
  await writeFile(join(root, 'dapr-config', 'dapr.yaml'), runFile);
  await mkdir(join(root, 'services', 'orders', 'migrations'), { recursive: true });
  await writeFile(join(root, 'services', 'orders', 'main.ts'), app);
  await writeFile(join(root, 'services', 'orders', 'seed.ts'), seed);
  await writeFile(
    join(root, 'services', 'orders', 'migrations', '0001_create_things.sql'),
    'create table things (tenant text not null, id text primary key);',
  );
  return root;
}

/** Copies this repository's files, and nothing that is generated, into a folder. */
export async function copyRepository(to: string): Promise<void> {
  const list = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const { stdout } = await promisify(execFile)('git', list, { cwd: repository });
  for (const file of stdout.split('\0').filter(Boolean)) await cp(join(repository, file), join(to, file));
}

/** This repository with its packages in a temporary folder, to be changed and started as a mesh's `root`. */
export async function copyProject(): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'sidecart-project-'));
  await copyRepository(root);
  await symlink(join(repository, 'node_modules'), join(root, 'node_modules'));
  return root;
}

/** For the environment of a copy's apps: the packages they load are compiled already. */
export const compileCache = { NODE_COMPILE_CACHE: join(repository, '.data', 'compile-cache') };

/** Changes a file of a project; a text that is not there, or more than once, is a mistake of whoever changes it. */
export async function change(root: string, file: string, from: string, to: string): Promise<void> {
  const text = await readFile(join(root, file), 'utf8');
  if (text.split(from).length !== 2) throw new Error(`${file} does not say once: ${from}`);
  await writeFile(
    join(root, file),
    text.replace(from, () => to),
  );
}
