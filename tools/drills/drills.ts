import type { Drill } from './drill.ts';
import { hotItem } from './hot-item.ts';

/** Every drill there is, in the order in which they are told of. */
export const drills: readonly Drill[] = [hotItem];
