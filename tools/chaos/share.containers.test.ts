import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { faultNames, hasNetwork } from './faults.ts';
import { kindOf } from './project.ts';
import { openChaos, type Chaos } from './run.ts';

/** One app, one sidecar, one pod, and what all of them need. */
const share = ['orders', 'payments-dapr', 'inventory-pod', 'postgres', 'redis', 'edge'];
// A stop differs from a kill in how it ends alone, and the services' tests have that.
const faults = faultNames.filter((name) => name !== 'stop');

let chaos: Chaos;
beforeAll(async () => {
  chaos = await openChaos();
});
afterAll(() => chaos.close());

describe.each(share)('when people shop and %s', (service) => {
  it.each(faults.filter((name) => name !== 'cut' || hasNetwork(kindOf(service))))(
    'suffers: %s, all is served again in time, as stated meanwhile, and the books are clean',
    async (fault) => {
      const member = chaos.project.core.find((one) => one.service === service);
      if (!member) throw new Error(`the mesh has no ${service}`);
      const { seconds, audit, problems, unfinished } = await chaos.run(member, fault);
      expect({ audit, problems }).toEqual({ audit: [], problems: [] });
      expect(seconds).not.toBeNull();
      expect(unfinished).toBeGreaterThanOrEqual(10);
    },
  );
});
