import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bankPorts } from '../../tools/mesh/bank.ts';
import { planApps, plannedPorts } from '../../tools/mesh/plan.ts';
import { isFree } from '../../tools/mesh/ports.ts';
import { isPairReady } from '../../tools/mesh/probe.ts';
import { readRunFile, type RunApp } from '../../tools/mesh/run-file.ts';
import { sentryPorts } from '../../tools/mesh/sentry.ts';
import { makeClone, type Clone, type Running } from './clone.ts';
import { describeHappyOrders } from './happy-orders.ts';
import { openStorefront, type Storefront } from './shop.ts';

// The dapr CLI instead of our launcher, on the same run file. It restarts nothing and stops its sidecars by SIGKILL, so
// here is only what nobody dies in.
let clone: Clone;
let cli: Running;
let apps: RunApp[];
let shop: Storefront;
beforeAll(async () => {
  clone = await makeClone({ packages: true });
  apps = await readRunFile(join(clone.folder, 'dapr-config', 'dapr.yaml'));
  cli = clone.start('make dapr-run');
  await allReady();
  shop = await openStorefront({
    home: clone.folder,
    gatewayUrl: 'http://127.0.0.1:8080',
    close: async () => {
      await cli.interrupt();
      await clone.sh('make down');
    },
  });
});
afterAll(async () => {
  await cli.interrupt();
  await clone.remove();
});

async function allReady(): Promise<void> {
  const limit = Date.now() + 240_000;
  const ready = ({ ports }: RunApp) => isPairReady(ports).catch(() => false);
  while (!(await Promise.all(apps.map(ready))).every(Boolean)) {
    if (cli.ended() !== undefined || Date.now() > limit)
      throw new Error(`make dapr-run does not run:\n${cli.output()}`);
    await delay(250);
  }
}

describeHappyOrders(() => shop);

describe('the books, after all that', () => {
  it('when audited, are clean', async () => {
    expect(await shop.audit()).toEqual([]);
  });
});

describe('the end', () => {
  it('when Ctrl-C and `make down` have come, no process and no port is left', async () => {
    expect(cli.ended()).toBeUndefined();
    await shop.close();
    expect(await clone.processes()).toEqual([]);
    const planned = plannedPorts(planApps(apps, {})).map(({ port }) => port);
    const ports = [...planned, 15_432, 16_379, bankPorts.app, bankPorts.ops, sentryPorts.api, sentryPorts.health];
    const taken = await Promise.all(ports.map(async (port) => ((await isFree(port)) ? [] : [port])));
    expect(taken.flat()).toEqual([]);
  });
});
