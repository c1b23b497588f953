import { z } from 'zod';
import { money } from '../_chassis/money.ts';

// An outside provider has no sidecar and no typed client of ours: these are the shapes of its HTTP API, for its own side.
// What payments relies on is in its expectations.

/** The caller's name for a charge, for ever the same for the same payment. */
export const key = z.string().regex(/^[\x21-\x7e]{1,200}$/);

/** `POST /charges`: charge once for this key, whatever is asked later. */
export const chargeRequest = z.object({ key, amount: money, token: z.string().min(1).max(200) });

/** The answer to every question: the charge as it now stands. `none` is no result: a charge may still be on its way. */
export const charge = z.object({
  key,
  status: z.enum(['none', 'captured', 'declined', 'voided', 'refunded']),
  amount: money.optional(),
  reason: z.string().optional(),
});
export type ChargeAnswer = z.infer<typeof charge>;
