import { createLocalJWKSet, jwtVerify } from 'jose';
import { z } from 'zod';

/** Who a token speaks for. */
export interface Principal {
  readonly subject: string;
  readonly tenant: string;
  readonly roles: readonly string[];
}

/** Gives the principal of an `Authorization` header, undefined without one, and 'invalid' for any other. */
export type Authenticate = (authorization: string | undefined) => Promise<Principal | undefined | 'invalid'>;

export const tokenIssuer = 'urn:sidecart:auth';
export const tokenAudience = 'sidecart';

const jwks = z.object({ keys: z.array(z.record(z.string(), z.unknown())).min(1) });
const name = z.string().regex(/^[\w.-]{1,64}$/);
const claims = z.object({ sub: name, tenant: name, roles: z.array(name).max(20), exp: z.number() });

/**
 * Checks access tokens (RFC 9068): ES256 only, issuer, audience, expiry, `typ: at+jwt`. Checked tokens are remembered by
 * their whole text until they expire, so that a call costs no signature check; failures are not.
 */
export function createAuthenticate(
  verificationKeys: string,
  clock: () => number = Date.now,
  cacheSize = 10_000,
): Authenticate {
  const keys = createLocalJWKSet(jwks.parse(JSON.parse(verificationKeys)));
  const checked = new Map<string, { principal: Principal; expiresAt: number }>();

  return async (authorization) => {
    if (authorization === undefined) return undefined;
    const token = /^Bearer ([\w.-]{1,2048})$/i.exec(authorization)?.[1];
    if (token === undefined) return 'invalid';
    const known = checked.get(token);
    if (known && known.expiresAt > clock()) return known.principal;
    try {
      const { payload } = await jwtVerify(token, keys, {
        algorithms: ['ES256'],
        issuer: tokenIssuer,
        audience: tokenAudience,
        typ: 'at+jwt',
        requiredClaims: ['sub', 'exp', 'iat'],
        currentDate: new Date(clock()),
      });
      const { sub, tenant, roles, exp } = claims.parse(payload);
      const principal = { subject: sub, tenant, roles };
      if (checked.size >= cacheSize) checked.delete(checked.keys().next().value ?? '');
      checked.set(token, { principal, expiresAt: exp * 1_000 });
      return principal;
    } catch {
      return 'invalid';
    }
  };
}
