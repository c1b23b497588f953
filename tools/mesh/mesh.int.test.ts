import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dropData } from './drop-data.ts';
import { homeAt, makeTemporaryHome } from './home.ts';
import { startMesh, type Mesh, type MeshOptions } from './mesh.ts';
import { isFree } from './ports.ts';
import { withClient } from './postgres.ts';
import { commandOf, startTimeOf } from './process-table.ts';
import { leftovers, readState, writeState } from './state.ts';
import { createThrowawayProject, ports } from './throwaway-project.ts';

// One small app beside real sidecars, PostgreSQL and Redis.
let root: string;
let home: string;
let mesh: Mesh;
const backing = {
  postgres: { port: 15_434 },
  redis: { port: 16_381 },
  sentry: { api: 15_001, health: 16_598 },
};
const options = (): MeshOptions => ({ root, home, replicas: { orders: 2 }, env: { COLOUR: 'green' }, ...backing });

beforeAll(async () => {
  root = await createThrowawayProject(backing.redis.port);
  home = await makeTemporaryHome();
  mesh = await startMesh(options());
});
afterAll(async () => {
  await mesh.stop();
  await dropData(home);
  await rm(home, { recursive: true });
  await rm(root, { recursive: true });
});

const pairNamed = (name: string) => {
  const pair = mesh.pairs().find((one) => one.name === name);
  if (!pair) throw new Error(`no ${name}`);
  return pair;
};
const isGone = (pid: number | undefined) => pid !== undefined && startTimeOf(pid) === undefined;

describe('a started mesh', () => {
  it('when a member of a pair is killed, ends the other one and is ready only with two new ones', async () => {
    for (const member of ['app', 'sidecar'] as const) {
      const before = pairNamed('orders-0');
      mesh.signal('orders-0', member, 'SIGKILL');
      await mesh.waitReady(20_000);
      const after = pairNamed('orders-0');
      expect([isGone(before.appPid), isGone(before.sidecarPid)]).toEqual([true, true]);
      expect(after.appPid).not.toBe(before.appPid);
      expect(after.sidecarPid).not.toBe(before.sidecarPid);
      expect(after.restarts).toBe(before.restarts + 1);
    }
    expect(pairNamed('orders-1').restarts).toBe(0);
  });

  it('when an app starts, gives it its environment, tokens of its pair, and no other secret', async () => {
    const environments = await Promise.all(
      [0, 100].map(async (shift) => {
        const response = await fetch(`http://127.0.0.1:${ports.app + shift}/`);
        const body = (await response.json()) as { env: Record<string, string> };
        return body.env;
      }),
    );
    const [first, second] = environments;
    expect(first).toMatchObject({
      APP_ID: 'orders',
      APP_PORT: '18084',
      OPS_PORT: '16584',
      DAPR_HTTP_PORT: '13584',
      DATABASE_PORT: '15434',
      COLOUR: 'green',
    });
    expect(second).toMatchObject({ APP_PORT: '18184', OPS_PORT: '16684' });
    const tokens = environments.flatMap((env) => [env['DAPR_API_TOKEN'], env['APP_API_TOKEN']]);
    expect(new Set(tokens).size).toBe(4);
    const secrets = JSON.parse(await readFile(homeAt(home).secretsFile, 'utf8')) as Record<string, string>;
    const visible = [...Object.values(first ?? {}), ...mesh.servers().map(({ pid }) => commandOf(pid ?? 0) ?? '')].join(
      '\n',
    );
    for (const secret of Object.values(secrets)) expect(visible).not.toContain(secret);
  });

  it('when the databases are ready, each belongs to its own role alone', async () => {
    const things = await withClient(mesh.databaseUrl('orders'), (client) => client.query('select id from things'));
    expect(things.rows).toEqual([{ id: '1' }]);
    const secrets = JSON.parse(await readFile(homeAt(home).secretsFile, 'utf8')) as Record<string, string>;
    const own = new URL(mesh.databaseUrl('orders'));
    own.username = 'orders';
    own.password = secrets['ordersDatabasePassword'] ?? '';
    const seen = (tenant: string) =>
      withClient(own.href, async (client) => {
        await client.query(`select set_config('sidecart.tenant', $1, false)`, [tenant]);
        return (await client.query<{ id: string }>('select id from things')).rows;
      });
    expect([await seen('main'), await seen('other'), await seen('')]).toEqual([[{ id: '1' }], [], []]);
    const elsewhere = Object.assign(new URL(own), { pathname: '/postgres' });
    await expect(withClient(elsewhere.href, (client) => client.query('select 1'))).rejects.toThrow(/permission denied/);
    const migrator = Object.assign(new URL(own), { username: 'orders_migrator' });
    await expect(withClient(migrator.href, (client) => client.query('select 1'))).rejects.toThrow(
      /not permitted to log in|authentication failed/,
    );
  });

  it('when PostgreSQL, Redis or Sentry is ended, is ready again with what they keep', async () => {
    await mesh.restartPostgres('fast');
    await mesh.restartPostgres('immediate');
    await mesh.waitReady(20_000);
    const things = await withClient(mesh.databaseUrl('orders'), (client) => client.query('select id from things'));
    expect(things.rowCount).toBe(1);
    await mesh.flushRedis();
    await mesh.killRedis({ wipe: true });
    const issued = await readFile(join(homeAt(home).certificates, 'issuer.crt'), 'utf8');
    await mesh.killSentry();
    expect(await readFile(join(homeAt(home).certificates, 'issuer.crt'), 'utf8')).toBe(issued);
    await mesh.waitReady(20_000);
    expect(
      mesh
        .servers()
        .map(({ name, restarts }) => `${name} ${restarts}`)
        .sort(),
    ).toEqual(['postgres 2', 'redis 1', 'sentry 1']);
  });

  it('when a pair is restarted, it is ready with two new members, and no other pair was touched', async () => {
    const [before, other] = [pairNamed('orders-0'), pairNamed('orders-1')];
    await mesh.restart('orders-0');
    const after = pairNamed('orders-0');
    expect([isGone(before.appPid), isGone(before.sidecarPid)]).toEqual([true, true]);
    expect([typeof after.appPid, typeof after.sidecarPid]).toEqual(['number', 'number']);
    expect(pairNamed('orders-1')).toEqual(other);
    await expect(mesh.restart('orders-9')).rejects.toThrow('no pair orders-9');
  });

  it('when a service is lent, leaves its ports free until it is taken back', async () => {
    await mesh.release('orders');
    expect(await isFree(ports.app)).toBe(true);
    await mesh.waitReady(5_000);
    mesh.takeBack('orders');
    await mesh.waitReady(20_000);
    expect(pairNamed('orders-0').appPid).toBeDefined();
  });

  it('when stopped, leaves no process, no port and no state, and starts again on its data', async () => {
    const pids = [
      ...mesh.pairs().flatMap(({ appPid, sidecarPid }) => [appPid, sidecarPid]),
      ...mesh.servers().map(({ pid }) => pid),
    ];
    await mesh.stop();
    expect(pids.map(isGone)).toEqual(pids.map(() => true));
    const all = [...Object.values(ports), backing.postgres.port, backing.redis.port, ...Object.values(backing.sentry)];
    expect(await Promise.all(all.map(isFree))).toEqual(all.map(() => true));
    expect(readState(homeAt(home))).toBeUndefined();
    mesh = await startMesh(options());
  });
});

describe('a mesh that cannot start', () => {
  const elsewhere = (change: Partial<MeshOptions> = {}) =>
    startMesh({
      ...options(),
      home: other,
      postgres: { port: 15_435 },
      redis: { port: 16_382 },
      sentry: { api: 15_002, health: 16_599 },
      ...change,
    });
  let other: string;
  beforeAll(async () => void (other = await makeTemporaryHome()));
  afterAll(async () => {
    await dropData(other);
    await rm(other, { recursive: true });
  });

  it('when a port is taken, says which, and starts nothing', async () => {
    const server = createServer().listen(15_435, '127.0.0.1');
    await once(server, 'listening');
    await expect(elsewhere({ services: [], replicas: {} })).rejects.toThrow(
      `port 15435, wanted by PostgreSQL, is held by pid ${process.pid}`,
    );
    server.close();
    expect(await readdir(join(other, '.data'))).toEqual(['logs']);
  });

  it('when processes of an earlier run are there, names them and leaves them alone', async () => {
    const child = spawn('sleep', ['60']);
    const pid = child.pid ?? 0;
    writeState(homeAt(other), []);
    const noted = {
      launcher: { name: 'launcher', pid, startTime: '1', command: '' },
      processes: [{ name: 'orders-0 app', pid, startTime: startTimeOf(pid) ?? '', command: 'sleep' }],
    };
    await writeFile(homeAt(other).stateFile, JSON.stringify(noted));
    await expect(elsewhere()).rejects.toThrow(`orders-0 app (pid ${pid}). \`make down\` ends them.`);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(leftovers(homeAt(other))).toEqual([]);
  });
});
