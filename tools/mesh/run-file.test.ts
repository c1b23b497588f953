import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { repository } from './home.ts';
import { parseRunFile, replicaPorts } from './run-file.ts';

const path = join(repository, 'dapr-config', 'dapr.yaml');
const text = readFileSync(path, 'utf8');

describe('the run file', () => {
  const apps = parseRunFile(text, path);

  it('when read, names each service that has a sidecar once', () => {
    const ids = apps.map(({ id }) => id);
    expect(ids).toEqual([...new Set(ids)]);
    expect(ids).toEqual(expect.arrayContaining(['gateway', 'products', 'orders']));
  });

  it('when read, gives every service its own number in all its ports', () => {
    for (const { ports } of apps) {
      const number = ports.app - 8_000;
      const { https, ...rest } = ports;
      expect([80, undefined]).toContain(https && number);
      expect(rest).toEqual({
        app: 8_000 + number,
        ops: 6_500 + number,
        http: 3_500 + number,
        grpc: 4_500 + number,
        internal: 5_500 + number,
        metrics: 9_500 + number,
      });
    }
  });

  it('when read, resolves its paths from where it lies', () => {
    const [app, other] = apps;
    expect(other?.configFile).toBe(join(repository, 'dapr-config', 'access', `${other?.id}.yaml`));
    expect(app?.directory).toBe(repository);
    expect(app?.configFile).toBe(join(repository, 'dapr-config', 'config.yaml'));
    expect(app?.resourcesPaths).toEqual([
      join(repository, 'components'),
      join(repository, 'components', 'redis'),
      join(repository, 'dapr-config', 'resources'),
    ]);
  });

  it('when read, merges the common environment below the own one', () => {
    const gateway = apps.find(({ id }) => id === 'gateway');
    expect(gateway?.env).toMatchObject({ DATABASE_PORT: '15432', OPS_PORT: '6580' });
  });

  it('when it holds a key that only the dapr CLI knows, is refused by name', () => {
    const changed = text.replace('appProtocol: grpc', 'enableAppHealthCheck: true');
    expect(() => parseRunFile(changed, path)).toThrow(/enableAppHealthCheck/);
  });
});

describe('replicaPorts', () => {
  it('when a replica is not the first, lies 100 above the one before', () => {
    const ports = { app: 8_084, ops: 6_584, http: 3_584, grpc: 4_584, internal: 5_584, metrics: 9_584 };
    expect(replicaPorts(ports, 0)).toEqual(ports);
    expect(replicaPorts({ ...ports, https: 8_443 }, 2)).toMatchObject({ app: 8_284, metrics: 9_784, https: 8_643 });
  });
});
