import { describe, expect, it } from 'vitest';
import { drills } from '../../tools/drills/drills.ts';

describe('a share of each drill', () => {
  it.each(drills)('when $name is run with a fixed seed, what it promises holds', async (drill) => {
    const { figures, violations } = await drill.run('share', { seed: 1, report: () => undefined });
    expect({ figures, violations }).toMatchObject({ violations: [] });
  });
});
