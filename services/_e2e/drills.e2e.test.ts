import { describe, expect, it } from 'vitest';
import { drills } from '../../tools/drills/drills.ts';

describe('a share of each drill', () => {
  const title = 'when $name is run with a fixed seed, what it promises holds';
  it.for(drills)(title, { timeout: 3_600_000 }, async (drill, { signal }) => {
    const { figures, violations } = await drill.run('share', { seed: 1, report: () => undefined, signal });
    expect({ figures, violations }).toMatchObject({ violations: [] });
  });
});
