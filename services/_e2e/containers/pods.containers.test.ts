import Docker from 'dockerode';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { removeNetwork, secretsOfMesh, serviceOf } from '../../../tools/compose/containers.ts';
import { compose } from '../../../tools/compose/engine.ts';
import {
  addressesOf,
  containerOf,
  edgeUrl,
  execute,
  killInside,
  logsOf,
  projectContainers,
  untilHealthy,
} from './project.ts';

const startedAt = async (service: string) => (await (await containerOf(service)).inspect()).State.StartedAt;
const served = async (path: string) => {
  const response = await fetch(edgeUrl + path, { signal: AbortSignal.timeout(10_000) }).catch(() => undefined);
  await response?.body?.cancel();
  return response?.status;
};

/** Waits until a container runs anew since `before`, and is healthy. */
async function anew(service: string, before: string): Promise<void> {
  await expect.poll(() => startedAt(service), { timeout: 60_000 }).not.toBe(before);
  await untilHealthy([service], 90_000);
}

describe('a pod', () => {
  it('when its app is killed, that is ready again beside the same sidecar', async () => {
    const [app, sidecar] = await Promise.all([startedAt('users'), startedAt('users-dapr')]);
    await killInside('users');
    await anew('users', app);
    expect(await startedAt('users-dapr')).toBe(sidecar);
  });

  it('when it dies, app and sidecar leave the network that nobody reaches, and come back in the new one', async () => {
    const [pod, app, sidecar] = await Promise.all([
      startedAt('users-pod'),
      startedAt('users'),
      startedAt('users-dapr'),
    ]);
    await killInside('users-pod');
    await anew('users-pod', pod);
    await Promise.all([anew('users', app), anew('users-dapr', sidecar)]);
    await expect.poll(() => served('/api/users/1'), { timeout: 60_000 }).toBe(200);
  });

  it('when another pod tries, it finds neither the app nor the API of its sidecar, only what sidecars call each other by', async () => {
    const [address = ''] = await addressesOf('orders-pod', 'backend');
    const tryAll = `for port in 8080 3500 50001 50002; do
      (exec 3<> /dev/tcp/${address}/$port) 2> /dev/null && echo $port; done; true`;
    expect(await execute('products', ['bash', '-c', tryAll])).toBe('50002\n');
  });
});

describe('the gateway', () => {
  it('when it is made anew, with another address, the edge finds it', async () => {
    const services = ['gateway-pod', 'gateway', 'gateway-dapr'];
    await compose(['up', '-d', '--wait', '--force-recreate', '--no-deps', ...services]);
    await expect.poll(() => served('/api/products/1'), { timeout: 60_000 }).toBe(200);
  });
});

describe('somebody on another network of this machine', () => {
  const docker = new Docker();
  let stranger: Docker.Container;
  let network: Docker.Network;
  beforeAll(async () => {
    const name = `sidecart-stranger-${randomBytes(4).toString('hex')}`;
    network = await docker.createNetwork({ Name: name });
    stranger = await docker.createContainer({
      name,
      Image: 'busybox:1.37.0',
      Cmd: ['sleep', '600'],
      HostConfig: { NetworkMode: name, Init: true },
    });
    await stranger.start();
  });
  afterAll(async () => {
    await stranger.remove({ force: true });
    await removeNetwork(network);
  });

  it('when he tries every address of the mesh and every port that something listens on, he reaches nothing', async () => {
    const addresses = (await projectContainers()).flatMap(({ NetworkSettings: { Networks } }) =>
      Object.values(Networks).flatMap(({ IPAddress }) => (IPAddress ? [IPAddress] : [])),
    );
    expect(addresses.length).toBeGreaterThan(20);
    const ports = '3500 5432 6379 8080 8081 8099 8443 9090 50001 50002';
    // All at once: each that gets no answer takes its whole second.
    const script = `for address in ${addresses.join(' ')}; do for port in ${ports}; do
      (nc -w 1 $address $port < /dev/null > /dev/null 2>&1 && echo $address:$port) & done; wait; done; true`;
    expect(await execute(stranger, ['sh', '-c', script])).toBe('');
  });
});

describe('what containers write', () => {
  it('when it is searched, no secret is in it', async () => {
    const secrets = Object.entries(await secretsOfMesh());
    expect(secrets.length).toBeGreaterThan(10);
    for (const service of (await projectContainers()).map(serviceOf)) {
      const log = await logsOf(service, 0);
      expect(secrets.filter(([, secret]) => log.includes(secret)).map(([name]) => `${name} in ${service}`)).toEqual([]);
    }
  });
});
