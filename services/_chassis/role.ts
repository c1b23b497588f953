import type { Call } from './call.ts';
import type { Refusal } from './contract.ts';

/** The refusal for a caller who does not have this role, or undefined for one who has. */
export function refusedWithout(role: string, { principal }: Call): Refusal | undefined {
  if (!principal) return { kind: 'unauthenticated' };
  return principal.roles.includes(role) ? undefined : { kind: 'forbidden' };
}
