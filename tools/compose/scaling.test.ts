import { describe, expect, it } from 'vitest';
import { repository } from '../mesh/home.ts';
import { parse } from 'yaml';
import { z } from 'zod';
import { readComposeFile } from './compose-file.ts';
import { countsIn, overrideOf, scaledCounts, tableOf } from './scaling.ts';

const file = await readComposeFile(repository);
const services = ['gateway', 'products', 'orders'];
const container = z.looseObject({ environment: z.record(z.string(), z.string()).optional() });
const override = z.object({ services: z.record(z.string(), container) });
const written = (counts: Record<string, number>) => override.parse(parse(overrideOf(file, counts) ?? '')).services;

describe('scaledCounts', () => {
  it('when a service is given a count, the others keep theirs, and one is not written down', () => {
    expect(scaledCounts({ orders: 2 }, services, 'products', '3')).toEqual({ orders: 2, products: 3 });
    expect(scaledCounts({ orders: 2, products: 3 }, services, 'products', '1')).toEqual({ orders: 2 });
  });

  it.each([
    ['', '2', 'say which and how many'],
    ['products', '', 'say which and how many'],
    ['redis', '2', 'there is no service redis to scale; there are gateway, products, orders'],
    ['products', '0', 'n: 0 is no count from 1 to 9'],
    ['products', '10', 'n: 10 is no count from 1 to 9'],
    ['products', 'x', 'n: x is no count from 1 to 9'],
  ])('when %j is to be there %j times, it is refused', (service, n, sentence) => {
    expect(() => scaledCounts({}, services, service, n)).toThrow(sentence);
  });
});

describe('overrideOf', () => {
  it('when a service is wanted three times, there are two further pods, all three the same service to the mesh', () => {
    const made = written({ products: 3 });
    expect(Object.keys(made)).toEqual(
      ['products-2', 'products-3'].flatMap((pod) => [`${pod}-pod`, pod, `${pod}-dapr`]),
    );
    const first = file.services['products'];
    expect(made['products-3']).toMatchObject({
      command: first?.command,
      healthcheck: first?.healthcheck,
      network_mode: 'service:products-3-pod',
      pull_policy: 'never',
      environment: { ...first?.environment, POD: 'products-3' },
    });
    expect(made['products-3']).not.toHaveProperty('build');
    expect(made['products-3-pod']).toMatchObject({
      hostname: 'products-3',
      networks: { backend: { aliases: ['pods'] }, database: {} },
    });
    expect(made['products-3-dapr']).toMatchObject({
      command: file.services['products-dapr']?.command,
      environment: { POD: 'products-3' },
    });
  });

  it('when gateways are further, each has its own name for clients and the common one for the edge', () => {
    const made = written({ gateway: 2 });
    expect(made['gateway-2']?.environment).toMatchObject({
      APP_ID: 'gateway',
      GATEWAY_NAME: 'gateway-2',
      POD: 'gateway-2',
    });
    expect(made['gateway-2-pod']).toMatchObject({ networks: { frontend: { aliases: ['gateway'] } } });
  });

  it('when every service has one pod, there is none', () => {
    expect(overrideOf(file, {})).toBeUndefined();
  });
});

describe('countsIn', () => {
  it('when an override was written, its counts are read again', () => {
    expect(countsIn(overrideOf(file, { gateway: 2, products: 9 }) ?? '')).toEqual({ gateway: 2, products: 9 });
  });

  it('when it is something else, it is said', () => {
    expect(() => countsIn('x: 1')).toThrow('is not as make compose-scale writes it');
  });
});

describe('tableOf', () => {
  it('when a pod has an unhealthy part, it does not count', () => {
    const line = (name: string, health: string) =>
      JSON.stringify({ Service: name, State: 'running', Health: health, ID: 'x' });
    const ps = [
      ...['orders-pod', 'orders', 'orders-dapr', 'orders-2-pod', 'orders-2'].map((name) => line(name, 'healthy')),
      line('orders-2-dapr', 'starting'),
    ].join('\n');
    expect(tableOf(ps, ['orders'], { orders: 2 })).toBe('  orders  1 of 2 healthy');
  });
});
