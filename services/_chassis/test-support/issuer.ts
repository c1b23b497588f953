import { SignJWT, exportJWK, generateKeyPair, importJWK, type JWK } from 'jose';
import { z } from 'zod';
import { createAuthenticate, tokenAudience, type Authenticate } from '../identity.ts';
import { createTokenKeys, type TokenKeys } from '../token-keys.ts';

/** Who issues the tokens of tests that have no mesh. */
export const testIssuer = 'http://issuer.test';

/** What a token of a test says; `lifetime` is in seconds, an hour by default. */
export interface TokenClaims {
  readonly sub: string;
  readonly roles: readonly string[];
  readonly tenant?: string;
  readonly scopes?: readonly string[];
  readonly lifetime?: number;
  readonly issuer?: string;
}

/** Signs an access token (RFC 9068) as auth does; the key is a private ES256 JWK with its `kid`. */
export async function signToken(privateKey: JWK, claims: TokenClaims): Promise<string> {
  const { sub, roles, tenant = 'main', scopes = ['read', 'write'], lifetime = 3_600, issuer = testIssuer } = claims;
  return new SignJWT({ tenant, roles, scope: scopes.join(' '), client_id: 'tests' })
    .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', ...(privateKey.kid !== undefined && { kid: privateKey.kid }) })
    .setIssuer(issuer)
    .setAudience(tokenAudience)
    .setSubject(sub)
    .setJti(crypto.randomUUID())
    .setIssuedAt()
    .setExpirationTime(Math.floor(Date.now() / 1_000) + lifetime)
    .sign(await importJWK(privateKey, 'ES256'));
}

/** A fresh pair of keys: the private JWK, and the JWKS of its public half as text. */
export async function generateSigningKey(): Promise<{ privateKey: JWK; verificationKeys: string }> {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  const kid = crypto.randomUUID();
  const named = { kid, alg: 'ES256', use: 'sig' };
  return {
    privateKey: { ...(await exportJWK(privateKey)), ...named },
    verificationKeys: JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), ...named }] }),
  };
}

const jwks = z.object({ keys: z.array(z.record(z.string(), z.unknown())) });

/** The keys of a JWKS that never changes. */
export const staticKeys = (verificationKeys: string): TokenKeys =>
  createTokenKeys(async () => jwks.parse(JSON.parse(verificationKeys)).keys);

/** Checks tokens of the test issuer by a JWKS that never changes. */
export const staticAuthenticate = (verificationKeys: string): Authenticate =>
  createAuthenticate({ issuer: testIssuer, keys: staticKeys(verificationKeys) });
