import { createLocalJWKSet, jwtVerify } from 'jose';
import { z } from 'zod';
import type { KeySet } from './keys.ts';

export const audience = 'sidecart';
/** What a token may be asked for; each is also said by the access token, so that `userinfo` can go by it. */
export const scopes = ['openid', 'profile', 'email', 'read', 'write'] as const;

/** The resource (RFC 8707) of tokens for the person's home, and of those for another tenant. */
export const homeResource = 'urn:sidecart';
export const resourceOf = (tenant: string): string => `${homeResource}:tenant:${tenant}`;
export const tenantOfResource = (resource: string): string | undefined =>
  /^urn:sidecart:tenant:([\w.-]{1,64})$/.exec(resource)?.[1];

const claims = z.looseObject({
  iss: z.string(),
  sub: z.string(),
  client_id: z.string(),
  exp: z.number(),
  iat: z.number(),
  jti: z.string(),
  scope: z.string().default(''),
  tenant: z.string(),
  roles: z.array(z.string()),
});
export type AccessToken = z.infer<typeof claims>;

/** Whether a token is one that oidc-provider issued and did not keep. */
export const isJwt = (token: string): boolean => /^[\w-]+\.[\w-]+\.[\w-]+$/.test(token);

/** What an access token says, or undefined when it does not hold. */
export async function readAccessToken(token: string, { published }: KeySet, issuer: string) {
  try {
    const keys = createLocalJWKSet({ keys: [...published] });
    const checks = { algorithms: ['ES256'], issuer, audience, typ: 'at+jwt' };
    return claims.parse((await jwtVerify(token, keys, checks)).payload);
  } catch {
    return undefined;
  }
}
