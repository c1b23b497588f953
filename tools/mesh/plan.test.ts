import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { repository } from './home.ts';
import { parseReplicas, planApps, plannedPorts } from './plan.ts';
import { readRunFile } from './run-file.ts';

const apps = await readRunFile(join(repository, 'dapr-config', 'dapr.yaml'));

describe('planApps', () => {
  it('when nothing is wished, starts each service once', () => {
    expect(planApps(apps, {}).every(({ replicas }) => replicas === 1)).toBe(true);
  });

  it('when services are named, starts only these, as often as asked', () => {
    const planned = planApps(apps, { services: ['orders', 'products'], replicas: { orders: 2 } });
    expect(planned.map(({ app, replicas }) => `${app.id}=${replicas}`).sort()).toEqual(['orders=2', 'products=1']);
  });

  it('when a name is not in the run file, says which and what there is', () => {
    expect(() => planApps(apps, { replicas: { ordres: 2 } })).toThrow(/no service ordres .*orders/);
  });
});

describe('plannedPorts', () => {
  it('when replicas are planned, lists every port once', () => {
    const ports = plannedPorts(planApps(apps, { replicas: { orders: 3 } })).map(({ port }) => port);
    expect(new Set(ports).size).toBe(ports.length);
    expect(ports).toHaveLength((apps.length + 2) * 6 + 1); // only the edge has HTTPS
  });
});

describe('parseReplicas', () => {
  it('when given pairs, reads them', () => {
    expect(parseReplicas(' products=2, orders=3 ')).toEqual({ products: 2, orders: 3 });
    expect(parseReplicas('')).toEqual({});
  });

  it.each(['orders', 'orders=0', 'orders=x', 'orders=10'])('when given %s, refuses it by name', (text) => {
    expect(() => parseReplicas(text)).toThrow(text);
  });
});
