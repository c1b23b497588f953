import { z } from 'zod';
import type { Queryable, Transaction } from '../_chassis/database.ts';

/** A payload as it is kept; `key` is the SHA-256 of its id. */
export interface StoredPayload {
  readonly key: string;
  readonly sealed: string;
  readonly accountId: string | undefined;
  readonly grantId: string | undefined;
  readonly uid: string | undefined;
  readonly lifeSeconds: number | undefined;
}

const row = z.object({ id: z.string(), sealed: z.string(), consumed: z.number().nullable() });
const columns = 'id, sealed, extract(epoch from consumed_at)::float8 as consumed';
const alive = '(expires_at is null or expires_at > clock_timestamp())';

/** A payload that has not run out; locked, because of two that come with one code the second has to see what the first did. */
export async function lockPayload(tx: Transaction, model: string, key: string) {
  const [found] = await tx.query(
    `select ${columns} from oidc_payloads where model = $1 and id = $2 and ${alive} for update`,
    [model, key],
  );
  return found && row.parse(found);
}

export async function payloadByUid(tx: Queryable, model: string, uid: string) {
  const [found] = await tx.query(`select ${columns} from oidc_payloads where model = $1 and uid = $2 and ${alive}`, [
    model,
    uid,
  ]);
  return found && row.parse(found);
}

export async function putPayload(tx: Transaction, model: string, given: StoredPayload): Promise<void> {
  await tx.query(
    `insert into oidc_payloads (model, id, sealed, account_id, grant_id, uid, expires_at)
     values ($1, $2, $3, $4, $5, $6, clock_timestamp() + make_interval(secs => $7::float8))
     on conflict (model, id) do update
       set sealed = excluded.sealed, account_id = excluded.account_id, grant_id = excluded.grant_id,
           uid = excluded.uid, expires_at = excluded.expires_at`,
    [
      model,
      given.key,
      given.sealed,
      given.accountId ?? null,
      given.grantId ?? null,
      given.uid ?? null,
      given.lifeSeconds ?? null,
    ],
  );
}

export async function consumePayload(tx: Transaction, model: string, key: string): Promise<void> {
  await tx.query('update oidc_payloads set consumed_at = clock_timestamp() where model = $1 and id = $2', [model, key]);
}

export async function dropPayload(tx: Transaction, model: string, key: string): Promise<void> {
  await tx.query('delete from oidc_payloads where model = $1 and id = $2', [model, key]);
}

export async function dropGranted(tx: Transaction, model: string, grantId: string): Promise<void> {
  await tx.query('delete from oidc_payloads where model = $1 and grant_id = $2', [model, grantId]);
}

/** Ends every session and grant of somebody, with all tokens but those access tokens that are out. */
export function dropAllOf(tx: Transaction, accountId: string): void {
  tx.write('delete from oidc_payloads where account_id = $1', [accountId]);
}

/** How many sessions and grants somebody has. */
export async function countPayloads(db: Queryable, accountId: string): Promise<{ sessions: number; grants: number }> {
  const [found] = await db.query(
    `select count(*) filter (where model = 'Session')::int as sessions, count(*) filter (where model = 'Grant')::int as grants
       from oidc_payloads where account_id = $1 and ${alive}`,
    [accountId],
  );
  return z.object({ sessions: z.number(), grants: z.number() }).parse(found);
}

const client = z.object({
  id: z.string(),
  acts_in: z.string(),
  secret_hash: z.string().nullable(),
  first_party: z.boolean(),
  roles: z.array(z.string()),
  metadata: z.record(z.string(), z.unknown()),
});

/** A registered client. */
export async function findClient(db: Queryable, id: string) {
  const [found] = await db.query(
    'select id, acts_in, secret_hash, first_party, roles, metadata from oauth_clients where id = $1',
    [id],
  );
  return found && client.parse(found);
}
