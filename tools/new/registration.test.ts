import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ComposeFile } from '../compose/compose-file.ts';
import { repository } from '../mesh/home.ts';
import { topicsOf } from '../service-contracts.ts';
import { forgotten, freeNumber, readRegister, type Register } from './registration.ts';

const register = await readRegister(repository);

describe('this project', () => {
  it('when looked through, has forgotten no service', () => {
    expect(forgotten(register)).toEqual([]);
    expect(register.contracts.length).toBeGreaterThanOrEqual(5);
  });

  it('when the topics are listed, each belongs to one producer, but for what is asked of a worker', () => {
    const all = register.contracts.flatMap(topicsOf).filter((topic) => !topic.endsWith('.requests'));
    expect(all).toEqual([...new Set(all)]);
  });
});

describe('forgotten', () => {
  const without = <One>(list: readonly One[], isIt: (one: One) => boolean) => list.filter((one) => !isIt(one));
  const callers = (callers: readonly string[]): Register => ({
    ...register,
    contracts: register.contracts.map((one) => {
      const { listEvents } = one.methods;
      return one.service === 'products' && listEvents
        ? { ...one, methods: { ...one.methods, listEvents: { ...listEvents, callers } } }
        : one;
    }),
  });
  const composed = (damage: (file: ComposeFile) => void): Register => {
    const compose = structuredClone(register.compose);
    damage(compose);
    return { ...register, compose };
  };
  const scopes = Object.keys(register.scopes).map((file): [string, Register] => [
    `orders is not in the scopes of ${file}`,
    { ...register, scopes: { ...register.scopes, [file]: ['products'] } },
  ]);

  it.each<[string, Register]>([
    ['orders has no entry in', { ...register, apps: without(register.apps, ({ id }) => id === 'orders') }],
    [
      'orders has not dapr-config/access/orders.yaml as configFilePath',
      {
        ...register,
        apps: register.apps.map((app) => ({ ...app, configFile: join(repository, 'dapr-config/config.yaml') })),
      },
    ],
    ...(['orders-pod', 'orders', 'orders-dapr'] as const).map((name): [string, Register] => [
      `orders has no container ${name} in compose.yaml`,
      composed(({ services }) => void delete services[name]),
    ]),
    ['the volume orders-secrets is not declared', composed(({ volumes }) => void delete volumes['orders-secrets'])],
    ['secrets does not fill orders-secrets', composed(({ services }) => void services['secrets']?.volumes.splice(0))],
    ['orders is no target in', { ...register, targets: without(register.targets, (name) => name === 'orders') }],
    ...scopes,
    ['orders consumes events of products and may not call its listEvents', callers(['inventory'])],
    [
      'orders consumes products.events of products, which publishes no such topic',
      { ...register, contracts: without(register.contracts, ({ service }) => service === 'products') },
    ],
  ])('when %s …, it is said', (sentence, changed) => {
    expect(forgotten(changed).join('\n')).toContain(sentence);
  });
});

describe('freeNumber', () => {
  it('when services come one after another, each gets a number of its own, and the bank and Sentry keep theirs', () => {
    const [first] = register.apps;
    if (!first) throw new Error('the run file is empty');
    const apps = [...register.apps];
    for (let free = 0; free < 18 - register.apps.length; free++) {
      const number = freeNumber(apps);
      expect(apps.map(({ ports }) => ports.ops)).not.toContain(6_500 + number);
      expect([98, 99]).not.toContain(number);
      apps.push({ ...first, ports: { ...first.ports, ops: 6_500 + number } });
    }
    expect(() => freeNumber(apps)).toThrow('are taken');
  });
});
