import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { stopLimitMs } from '../../services/_chassis/lifecycle.ts';
import { repository } from '../mesh/home.ts';
import { readRunFile } from '../mesh/run-file.ts';
import { parseComposeFile, readComposeFile, type ComposeFile, type ComposeService } from './compose-file.ts';
import { complaints, variablesIn, type Project } from './rules.ts';

const textOf = (file: string) => readFile(join(repository, file), 'utf8');
const secondsIn = async (file: string, pattern: RegExp) => Number(pattern.exec(await textOf(file))?.[1]);

const app = stopLimitMs / 1_000;
const project: Project = {
  pods: await readRunFile(join(repository, 'dapr-config', 'dapr.yaml')),
  drainSeconds: {
    'sidecart/app': app,
    'sidecart/suite': app,
    // Then it has 3 s to close its components.
    'sidecart/dapr': (await secondsIn('containers/sidecar.sh', /--dapr-graceful-shutdown-seconds (\d+)/)) + 3,
    'sidecart/edge': await secondsIn('containers/edge/nginx.conf', /worker_shutdown_timeout (\d+)s/),
  },
};
const file = await readComposeFile(repository);

describe('compose.yaml', () => {
  it('when it is read, every container is limited, hardened and where it must be', () => {
    expect(Object.keys(file.services).length).toBeGreaterThan(project.pods.length * 3);
    expect(Object.values(project.drainSeconds).every((seconds) => seconds > 0)).toBe(true);
    expect(complaints(file, project)).toEqual([]);
  });

  it.runIf(existsSync(join(repository, '.env.example')))(
    'when it takes a variable, .env.example explains it',
    async () => {
      const examples = await textOf('.env.example');
      const unexplained = variablesIn(await textOf('compose.yaml')).filter(
        (name) => !new RegExp(`^#? ?${name}=`, 'm').test(examples),
      );
      expect(unexplained).toEqual([]);
    },
  );
});

type Damage = (file: ComposeFile) => void;
const service = (name: string, change: Partial<ComposeService>): Damage => {
  return ({ services }) => {
    const found = services[name];
    if (!found) throw new Error(`there is no ${name} to damage`);
    Object.assign(found, change);
  };
};
const without = (name: string): Damage => {
  return ({ services }) => void delete services[name];
};
const copied = (from: string, to: string, change: Partial<ComposeService> = {}): Damage => {
  return (damaged) => {
    const found = damaged.services[from];
    if (!found) throw new Error(`there is no ${from} to copy`);
    damaged.services[to] = structuredClone(found);
    service(to, change)(damaged);
  };
};

describe('complaints', () => {
  it.each<[string, Damage]>([
    ['redis its image redis:latest is not pinned to a full version', service('redis', { image: 'redis:latest' })],
    ['redis its image redis:8 is not pinned to a full version', service('redis', { image: 'redis:8' })],
    ['orders has no mem_limit', service('orders', { mem_limit: undefined })],
    ['orders has no limit of cpus', service('orders', { cpus: 2 })],
    ['orders has no pids_limit', service('orders', { pids_limit: undefined })],
    ['orders does not run as a user', service('orders', { user: '0:0' })],
    ['orders does not run as a user', service('orders', { user: 'node' })],
    ['orders-dapr has a root that can be written to', service('orders-dapr', { read_only: false })],
    ['orders does not drop ALL capabilities', service('orders', { cap_drop: [] })],
    ['orders adds the capability NET_ADMIN', service('orders', { cap_add: ['NET_ADMIN'] })],
    ['orders is privileged', service('orders', { privileged: true })],
    ['orders may get new privileges', service('orders', { security_opt: [] })],
    ['orders has no init', service('orders', { init: false })],
    ['orders has logs that grow', service('orders', { logging: { driver: 'json-file', options: {} } })],
    ['orders has no health check', service('orders', { healthcheck: { disable: true } })],
    ['secrets ends by itself, and its health', service('secrets', { healthcheck: { test: ['CMD', 'true'] } })],
    ['cli ends by itself, and its health', service('cli', { healthcheck: undefined })],
    ['secrets its restart is not no', service('secrets', { restart: 'unless-stopped' })],
    ['orders its restart is not unless-stopped', service('orders', { restart: 'no' })],
    ['orders its stop_grace_period is too short: what runs in it may take 10 s', service('orders', { stop_grace_period: '10s' })], // prettier-ignore
    ['orders-dapr its stop_grace_period is too short: what runs in it may take 8 s', service('orders-dapr', { stop_grace_period: '8s' })], // prettier-ignore
    ['edge its stop_grace_period is too short: what runs in it may take 11 s', service('edge', { stop_grace_period: '11s' })], // prettier-ignore
    ['redis its stop_grace_period is too short', service('redis', { stop_grace_period: undefined })],
    ['orders its tmpfs /tmp has no size', service('orders', { tmpfs: ['/tmp'] })],
    ['redis mounts ./services: only read-only files', service('redis', { volumes: ['./services:/data:ro'] })],
    ['prometheus mounts ./containers/prometheus.yaml', service('prometheus', { volumes: ['./containers/prometheus.yaml:/etc/prometheus/prometheus.yml'] })], // prettier-ignore
    ["redis holds the engine's socket", service('redis', { volumes: ['/var/run/docker.sock:/var/run/docker.sock:ro'] })], // prettier-ignore
    ["portainer holds the engine's socket", copied('zipkin', 'portainer', { volumes: ['/var/run/docker.sock:/var/run/docker.sock'] })], // prettier-ignore
    ['gateway-pod is on backend, database, frontend, not on backend, frontend', service('gateway-pod', { networks: ['frontend', 'backend', 'database'] })], // prettier-ignore
    ['postgres is on backend, database, not on database', service('postgres', { networks: ['backend', 'database'] })],
    ['redis is on no network, not on backend', service('redis', { networks: [] })],
    ['edge is on backend, frontend, not on frontend', service('edge', { networks: ['frontend', 'backend'] })],
    ['zipkin is on backend, not on monitoring', service('zipkin', { networks: ['backend'] })],
    ['zipkin is on frontend, monitoring, not on', service('zipkin', { networks: ['monitoring', 'frontend'] })],
    ['orders has networks of its own', service('orders', { networks: ['frontend'] })],
    ['redis joins host', service('redis', { network_mode: 'host', networks: [] })],
    ['orders-pod publishes 127.0.0.1:3001:8080; only the edge', service("orders-pod", { ports: ["127.0.0.1:3001:8080"] })], // prettier-ignore
    ['edge publishes 8080:8080', service('edge', { ports: ['8080:8080'] })],
    ['zipkin publishes 3004:9411', service('zipkin', { ports: ['3004:9411'] })],
    [
      'prometheus publishes 127.0.0.1:3004:9090, which is taken',
      service('prometheus', { ports: ['127.0.0.1:3004:9090'] }),
    ],
    ['the network backend leads out', ({ networks }) => void (networks['backend'] = {})],
    ['the network database leads out', ({ networks }) => void (networks['database'] = null)],
    ['the network idle is not used', ({ networks }) => void (networks['idle'] = null)],
    ['the volume idle is not used', ({ volumes }) => void (volumes['idle'] = null)],
    ['the volume nowhere is not declared', service('redis', { volumes: ['nowhere:/data'] })],
    ['orders has no container orders-pod', without('orders-pod')],
    ['orders has no container orders-dapr', without('orders-dapr')],
    ['orders has no container orders in', without('orders')],
    ['reviews-dapr is of no pod', copied('orders-dapr', 'reviews-dapr')],
    ['orders-pod is not called orders', service('orders-pod', { hostname: 'order' })],
    ['orders does not run services/orders/main.ts', service('orders', { command: ['services/users/main.ts'] })],
    ['orders has another APP_ID', service('orders', { environment: { POD: 'orders', APP_ID: 'users' } })],
    ['orders has another POD', service('orders', { environment: { APP_ID: 'orders' } })],
    ['orders-dapr has another --app-id', service('orders-dapr', { command: ['--app-id', 'users'] })],
    ['orders-dapr has another --config', service('orders-dapr', { command: ['--config', 'dapr-config/config.yaml'] })],
    ['orders-dapr does not speak grpc', service('orders-dapr', { command: ['--app-id', 'orders'] })],
    ['orders-dapr does not join orders-pod', service('orders-dapr', { network_mode: 'service:users-pod' })],
    ['orders has not the volume orders-secrets', service('orders', { volumes: ['users-secrets:/run/secrets:ro'] })],
    ['secrets does not fill orders-secrets', service('secrets', { volumes: [] })],
    ['the volume orders-secrets is not declared', ({ volumes }) => void delete volumes['orders-secrets']],
    ['there is no redis', without('redis')],
    ['redis is of the core and has a profile', service('redis', { profiles: ['full'] })],
    ['zipkin is not of the core and has no profile', service('zipkin', { profiles: [] })],
    ['zipkin has the profile debug', service('zipkin', { profiles: ['debug'] })],
  ])('when %s, it is said', (sentence, damage) => {
    const damaged = structuredClone(file);
    damage(damaged);
    expect(complaints(damaged, project).join('\n')).toContain(sentence);
  });
});

describe('parseComposeFile', () => {
  it('when a service is written in another form, it is refused by its place', () => {
    expect(() =>
      parseComposeFile(
        '{ name: x, services: { one: { image: a, ports: [{ target: 80 }] } }, networks: {}, volumes: {} }',
      ),
    ).toThrow('services.one.ports.0');
  });
});

describe('variablesIn', () => {
  it('when a text has variables, each is named once, those of a shell in a container are not', () => {
    expect(variablesIn("a: ${ONE:-1}:${TWO} b: '${ONE}' c: $${THREE} $$FOUR")).toEqual(['ONE', 'TWO']);
  });
});
