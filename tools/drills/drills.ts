import type { Drill } from './drill.ts';
import { broker } from './broker.ts';
import { fuzz } from './fuzz.ts';
import { hotItem } from './hot-item.ts';
import { keys } from './keys.ts';
import { rolling } from './rolling.ts';
import { shuffle } from './shuffle.ts';

/** Every drill there is, in the order in which they are told of. */
export const drills: readonly Drill[] = [hotItem, keys, broker, shuffle, rolling, fuzz];
