import { timingSafeEqual } from 'node:crypto';
import type { AdapterPayload, Client } from 'oidc-provider';
import { z } from 'zod';
import { digestOf } from './sealing.ts';
import type { findClient } from './store-oidc.ts';

/** Our own metadata of a client, beside RFC 7591's. */
export const ownMetadata = ['first_party', 'tenant', 'roles'] as const;

const own = z.object({ first_party: z.boolean(), tenant: z.string(), roles: z.array(z.string()) });

/** What oidc-provider does not know of a client. */
export const ownOf = (client: Client): z.infer<typeof own> => own.parse({ ...client });

type StoredClient = NonNullable<Awaited<ReturnType<typeof findClient>>>;

/** A client as oidc-provider reads it; its secret is the hash of what the client has. */
export function clientPayload(stored: StoredClient, publicUrl: string): AdapterPayload {
  const metadata: unknown = JSON.parse(JSON.stringify(stored.metadata).replaceAll('{public-url}', publicUrl));
  return {
    ...z.record(z.string(), z.unknown()).parse(metadata),
    client_id: stored.id,
    ...(stored.secret_hash !== null && { client_secret: stored.secret_hash }),
    first_party: stored.first_party,
    tenant: stored.acts_in,
    roles: stored.roles,
  };
}

/** Whether a secret is the client's; client secrets are long and random, so their plain hash is enough. */
export function isClientSecret(hash: string | undefined, given: string): boolean {
  const expected = Buffer.from(hash ?? '');
  const actual = Buffer.from(digestOf(given));
  return expected.length === actual.length && timingSafeEqual(expected, actual);
}

/** What people call a client. */
export const clientName = (client: Client): string => client.clientName ?? client.clientId;
