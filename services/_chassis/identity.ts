import { jwtVerify } from 'jose';
import { z } from 'zod';
import { DependencyError } from './errors.ts';
import type { TokenKeys } from './token-keys.ts';

/** Who a token speaks for, and what it may be used for. */
export interface Principal {
  readonly subject: string;
  readonly tenant: string;
  readonly roles: readonly string[];
  readonly scopes: readonly string[];
}

/**
 * Gives the principal of an `Authorization` header, undefined without one, and 'invalid' for any other; throws
 * DependencyError where its key can't be had.
 */
export type Authenticate = (authorization: string | undefined) => Promise<Principal | undefined | 'invalid'>;

export const tokenAudience = 'sidecart';

const name = z.string().regex(/^[\w.-]{1,64}$/);
const scopes = z
  .string()
  .max(256)
  .transform((text) => text.split(' '));
const claims = z.object({
  ...{ sub: name, tenant: name, roles: z.array(name).max(20), scope: scopes },
  ...{ exp: z.number(), iat: z.number() },
});

/** Seconds. Nothing that is issued lives longer, and no clock is further ahead. */
const longestLife = 24 * 3_600;
const furthestAhead = 60;

/**
 * Checks access tokens (RFC 9068): ES256 only, issuer, audience, expiry, `typ: at+jwt`, and of the header nothing else but
 * `kid`. Checked tokens are remembered by the whole header until they expire, so that a call costs no signature check;
 * failures are not.
 */
export function createAuthenticate({
  issuer,
  keys,
  clock = Date.now,
  cacheSize = 10_000,
}: {
  issuer: string;
  keys: TokenKeys;
  clock?: () => number;
  cacheSize?: number;
}): Authenticate {
  const checked = new Map<string, { principal: Principal; expiresAt: number }>();
  const keyOf = async ({ kid }: { kid?: unknown }) => {
    const key = typeof kid === 'string' && kid.length <= 128 ? await keys.find(kid) : undefined;
    if (!key) throw new Error('signed by nobody');
    return key;
  };

  return async (authorization) => {
    if (authorization === undefined) return undefined;
    const known = checked.get(authorization);
    if (known && known.expiresAt > clock()) return known.principal;
    checked.delete(authorization);
    const token = /^Bearer ([\w.-]{1,2048})$/i.exec(authorization)?.[1];
    if (token === undefined) return 'invalid';
    try {
      const { payload } = await jwtVerify(token, keyOf, {
        algorithms: ['ES256'],
        issuer,
        audience: tokenAudience,
        typ: 'at+jwt',
        requiredClaims: ['sub', 'exp', 'iat'],
        currentDate: new Date(clock()),
      });
      const { sub, tenant, roles, scope, exp, iat } = claims.parse(payload);
      if (exp - iat > longestLife || iat > clock() / 1_000 + furthestAhead) return 'invalid';
      const principal = { subject: sub, tenant, roles, scopes: scope };
      if (checked.size >= cacheSize) checked.delete(checked.keys().next().value ?? '');
      checked.set(authorization, { principal, expiresAt: exp * 1_000 });
      return principal;
    } catch (error) {
      if (error instanceof DependencyError) throw error;
      return 'invalid';
    }
  };
}

/** Whether a caller may do this: without a token there is nothing that limits it; one that only reads has no `write`. */
export const isInScope = (principal: Principal | undefined, reads: boolean): boolean =>
  principal === undefined || principal.scopes.includes(reads ? 'read' : 'write');
