import type { Draw } from './draw.ts';
import type { Draft, Workshop } from './request.ts';

/** One change that makes a valid request an odd one. */
export interface Mutation {
  readonly name: string;
  /** Changes the draft; `refused` where no answer but a refusal is right, undefined where it does not apply. */
  apply(draft: Draft, draw: Draw, workshop: Workshop): 'refused' | 'any' | undefined;
}
