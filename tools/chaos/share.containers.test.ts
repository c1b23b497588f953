import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasNetwork } from './faults.ts';
import { kindOf } from '../compose/containers.ts';
import { openChaos, share, type Chaos } from './run.ts';

let chaos: Chaos;
beforeAll(async () => {
  chaos = await openChaos();
});
afterAll(() => chaos.close());

describe.each(share.only)('when people shop and %s', (service) => {
  it.each(share.faults.filter((name) => name !== 'cut' || hasNetwork(kindOf(service))))(
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
