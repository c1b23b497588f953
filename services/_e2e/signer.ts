import { z } from 'zod';
import { signToken } from '../_chassis/test-support/issuer.ts';
import { createSealing } from '../auth/sealing.ts';
import { databaseUrls } from '../../tools/connections.ts';
import { homeAt } from '../../tools/mesh/home.ts';
import { withClient } from '../../tools/mesh/postgres.ts';
import { readSecrets, secretNamed } from '../../tools/mesh/secrets.ts';

const publicHalf = z.object({ kty: z.string(), crv: z.string(), x: z.string(), y: z.string(), kid: z.string() });
const row = z.object({ public_key: publicHalf, sealed: z.string() });
const signsNow = `select public_key, sealed from signing_keys
  order by signs_from <= clock_timestamp() desc, signs_from desc limit 1`;

/** A token of a made-up person; `lifetime` is in seconds. */
export type Sign = (claims: { sub: string; roles: readonly string[]; lifetime?: number }) => Promise<string>;

/**
 * Signs tokens as this mesh's auth does, with its own current key, which only the holder of the mesh's secrets can open. For
 * loads of thousands of customers whom nobody registers, and for runs that outlive a token: signing each in would measure
 * password hashing. Nothing that the shop runs on knows this way.
 */
export async function openSigner(home: string, issuer: string): Promise<Sign> {
  const secrets = (await readSecrets(homeAt(home).secretsFile)) ?? {};
  const url = (await databaseUrls(home))('auth');
  const [found] = await withClient(url, async (client) => (await client.query<object>(signsNow)).rows);
  const { public_key: half, sealed } = row.parse(found);
  const d = createSealing(secretNamed(secrets, 'authSealingKey')).open(sealed, `signing key ${half.kid}`);
  return async ({ sub, roles, lifetime = 12 * 3_600 }) => signToken({ ...half, d }, { sub, roles, lifetime, issuer });
}
