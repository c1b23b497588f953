import type { Draw } from './draw.ts';
import { bodyMutations } from './mutate-body.ts';
import { headerMutations } from './mutate-headers.ts';
import { identityMutations } from './mutate-identity.ts';
import { targetMutations } from './mutate-target.ts';
import { textMutations } from './mutate-text.ts';
import type { Draft, Workshop } from './request.ts';

const ofBody = [...bodyMutations, ...textMutations];
/** Every mutation there is. */
export const mutations = [...identityMutations, ...targetMutations, ...headerMutations, ...ofBody];

/** Applies one mutation that applies, and says whether only a refusal is right now. */
export function mutate(draft: Draft, draw: Draw, workshop: Workshop): { name: string; outcome: 'refused' | 'any' } {
  for (;;) {
    // As often at the body as elsewhere, where there is one.
    const one = draw.of(draft.body && draw.oneIn(2) ? ofBody : mutations);
    const outcome = one.apply(draft, draw, workshop);
    if (outcome !== undefined) return { name: one.name, outcome };
  }
}
