import { z } from 'zod';

/** Money in integer minor units of an ISO 4217 currency; never a fraction, never a float. */
export const money = z.object({
  amount: z.number().int().min(0).max(1_000_000_000_000),
  currency: z.string().regex(/^[A-Z]{3}$/),
});
export type Money = z.infer<typeof money>;
