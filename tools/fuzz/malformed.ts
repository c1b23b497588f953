import type { Draw } from './draw.ts';
import { timing } from './shapes-in-time.ts';
import { framing } from './shapes-of-framing.ts';
import { heads } from './shapes-of-heads.ts';
import type { Step } from './wire.ts';

/** A conversation that no client library would have. */
export interface Malformed {
  readonly name: string;
  readonly steps: readonly Step[];
  /** How many answers there may be at most. */
  readonly most: number;
  /** Whether one of them may be a success; else all are refusals, or the connection just ends. */
  readonly mayPass: boolean;
}

const shapes = Object.entries({ ...framing, ...heads, ...timing });

/** A malformed conversation, as the draws decide. */
export function malformed(draw: Draw): Malformed {
  const [name, shape] = draw.of(shapes);
  const { text, most = 1, mayPass = false } = shape(draw);
  return { name, steps: typeof text === 'string' ? [text] : text, most, mayPass };
}
