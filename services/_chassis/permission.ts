import type { Call } from './call.ts';
import type { Refusal } from './contract.ts';

/** Whether a caller has one of the roles that a permission is given to. */
export const isPermitted = (roles: readonly string[], { principal }: Pick<Call, 'principal'>): boolean =>
  principal?.roles.some((role) => roles.includes(role)) === true;

/** The refusal for a caller who has none of the roles that a permission is given to, or undefined for one who has. */
export function refusedWithout(roles: readonly string[], call: Pick<Call, 'principal'>): Refusal | undefined {
  if (!call.principal) return { kind: 'unauthenticated' };
  return isPermitted(roles, call) ? undefined : { kind: 'forbidden' };
}
