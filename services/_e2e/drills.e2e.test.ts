import { describe, expect, it } from 'vitest';
import { drills } from '../../tools/drills/drills.ts';

describe('a share of each drill', () => {
  it.for(drills)('when $name is run with a fixed seed, what it promises holds', async (drill, { signal }) => {
    const { figures, violations } = await drill.run('share', { seed: 1, report: () => undefined, signal });
    expect({ figures, violations }).toMatchObject({ violations: [] });
  });
});
