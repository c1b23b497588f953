import { z } from 'zod';
import { eventType } from '../_chassis/contract.ts';

const userId = z.string().min(1).max(64);

/** What users needs of the events of others; their producers' tests hold them to it. */
export const accountRegistered = z.object({ userId, name: z.string(), email: z.string() });
export const accountVerified = z.object({ userId });
export const accountDeclined = z.object({ userId });
/** An answer in several events says which of how many each is. */
export const personalDataCollected = z.object({
  exportId: z.string(),
  data: z.looseObject({ of: z.number().int().min(1).optional() }),
});

export const expectations = {
  [eventType('auth', 'account.registered')]: accountRegistered,
  [eventType('auth', 'account.verified')]: accountVerified,
  [eventType('auth', 'account.declined')]: accountDeclined,
  [eventType('auth', 'personal-data.collected')]: personalDataCollected,
  [eventType('orders', 'personal-data.collected')]: personalDataCollected,
};
