import type { ClientBase } from 'pg';
import { home as tenant } from './account.ts';
import type { Role } from './contract.ts';
import { hashPassword } from './password-hash.ts';
import { digestOf } from './sealing.ts';

const people: readonly (readonly [id: string, name: string, email: string, role: Role])[] = [
  ['1', 'Ada', 'ada@example.com', 'customer'],
  ['2', 'Ben', 'ben@example.com', 'customer'],
  ['3', 'Staff', 'staff@example.com', 'staff'],
  ['4', 'Warehouse', 'warehouse@example.com', 'warehouse'],
  ['5', 'Admin', 'admin@example.com', 'admin'],
];

const publicClient = { token_endpoint_auth_method: 'none', grant_types: ['authorization_code', 'refresh_token'] };
const clients = [
  {
    id: 'cli',
    metadata: {
      ...publicClient,
      client_name: 'The command line',
      application_type: 'native',
      redirect_uris: ['http://127.0.0.1/callback'],
    },
  },
  {
    id: 'shop-page',
    metadata: {
      ...publicClient,
      client_name: 'The shop',
      redirect_uris: ['{public-url}/shop'],
      post_logout_redirect_uris: ['{public-url}/shop'],
    },
  },
  {
    id: 'reporter',
    roles: ['staff'],
    metadata: {
      client_name: 'The reporter',
      grant_types: ['client_credentials'],
      response_types: [],
      redirect_uris: [],
      scope: 'read',
    },
  },
];

/** Puts the seeded people and clients in, with the machine's secrets; safe to run again, and brings nobody back. */
export async function seed(client: ClientBase, secret: (name: string) => string): Promise<void> {
  const password = secret('peoplePassword');
  for (const [id, name, email, role] of people) {
    const known = await client.query('select 1 from accounts where tenant = $1 and id = $2', [tenant, id]);
    if (known.rowCount) continue;
    await client.query(
      `insert into accounts (tenant, id, email, name, password_hash, verified, status)
       values ($1, $2, $3, $4, $5, true, 'active') on conflict do nothing`,
      [tenant, id, email, name, hashPassword(password)],
    );
    await client.query(
      `insert into role_grants (tenant, account_id, role, granted_by) values ($1, $2, $3, 'seed') on conflict do nothing`,
      [tenant, id, role],
    );
  }
  for (const { id, roles = [], metadata } of clients) {
    const secretHash = id === 'reporter' ? digestOf(secret('reporterClientSecret')) : null;
    await client.query(
      `insert into oauth_clients (id, acts_in, secret_hash, first_party, roles, metadata) values ($1, $2, $3, true, $4, $5)
       on conflict (id) do update set secret_hash = excluded.secret_hash`,
      [id, tenant, secretHash, roles, JSON.stringify(metadata)],
    );
  }
}
