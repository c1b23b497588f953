import { z } from 'zod';
import { signToken } from '../../services/_chassis/test-support/issuer.ts';
import { secretNamed, type Secrets } from './secrets.ts';

const privateKey = z.looseObject({
  kty: z.literal('EC'),
  crv: z.string(),
  x: z.string(),
  y: z.string(),
  d: z.string(),
  kid: z.string(),
});

/** A development token for a user, signed with this machine's key and valid for an hour, or for `lifetime` seconds. */
export async function developmentToken(
  secrets: Secrets,
  claims: { user: string; roles: readonly string[]; tenant?: string | undefined; lifetime?: number | undefined },
): Promise<string> {
  const key = privateKey.parse(JSON.parse(secretNamed(secrets, 'tokenSigningKey')));
  const { user: sub, roles, tenant = 'main', lifetime } = claims;
  return signToken(key, { sub, roles, tenant, ...(lifetime !== undefined && { lifetime }) });
}
