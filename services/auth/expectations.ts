import { z } from 'zod';
import { eventType } from '../_chassis/contract.ts';
import { role } from './contract.ts';

const userId = z.string().regex(/^[\w.-]{1,64}$/);
const version = z.number().int();
const membershipId = z.string();

/** What auth needs of the events of users; their tests hold users to it. */
export const profileCreated = z.object({
  userId,
  name: z.string(),
  email: z.string(),
  origin: z.enum(['invitation', 'registration']),
});
export const emailChanged = z.object({ userId, email: z.string(), version });
export const profileErased = z.object({ userId });
export const exportRequested = z.object({ userId, exportId: z.string() });
export const membershipGranted = z.object({ userId, membershipId, version, roles: z.array(role) });
export const membershipRevoked = z.object({ userId, membershipId, version });

/** The same by type, for the tests of the producer. */
export const expectations = {
  [eventType('users', 'profile.created')]: profileCreated,
  [eventType('users', 'email.changed')]: emailChanged,
  [eventType('users', 'profile.erased')]: profileErased,
  [eventType('users', 'export.requested')]: exportRequested,
  [eventType('users', 'membership.granted')]: membershipGranted,
  [eventType('users', 'membership.revoked')]: membershipRevoked,
};
