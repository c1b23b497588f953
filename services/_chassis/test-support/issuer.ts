import { SignJWT, exportJWK, generateKeyPair, importJWK, type JWK } from 'jose';
import { tokenAudience, tokenIssuer } from '../identity.ts';

/** What a development token says; `lifetime` is in seconds, an hour by default. */
export interface TokenClaims {
  readonly sub: string;
  readonly roles: readonly string[];
  readonly tenant?: string;
  readonly lifetime?: number;
}

/** Signs an access token (RFC 9068) for development and tests; the key is a private ES256 JWK with its `kid`. */
export async function signToken(privateKey: JWK, claims: TokenClaims): Promise<string> {
  const { sub, roles, tenant = 'main', lifetime = 3_600 } = claims;
  return new SignJWT({ tenant, roles })
    .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', ...(privateKey.kid !== undefined && { kid: privateKey.kid }) })
    .setIssuer(tokenIssuer)
    .setAudience(tokenAudience)
    .setSubject(sub)
    .setIssuedAt()
    .setExpirationTime(Math.floor(Date.now() / 1_000) + lifetime)
    .sign(await importJWK(privateKey, 'ES256'));
}

/** A fresh pair of keys: the private JWK, and the JWKS of its public half as services read it. */
export async function generateSigningKey(): Promise<{ privateKey: JWK; verificationKeys: string }> {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  const kid = crypto.randomUUID();
  const named = { kid, alg: 'ES256', use: 'sig' };
  return {
    privateKey: { ...(await exportJWK(privateKey)), ...named },
    verificationKeys: JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), ...named }] }),
  };
}
