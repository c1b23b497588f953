import { z } from 'zod';
import type { Queryable, Transaction } from '../_chassis/database.ts';
import { role, roles, type Role } from './contract.ts';

const row = z.object({ role });

/** What somebody is in a tenant, in the order of the contract. */
export async function rolesIn(db: Queryable, tenant: string, accountId: string): Promise<Role[]> {
  const rows = await db.query('select role from role_grants where tenant = $1 and account_id = $2', [
    tenant,
    accountId,
  ]);
  const held = new Set(rows.map((found) => row.parse(found).role));
  return roles.filter((one) => held.has(one));
}

/** Whether somebody whose home is another tenant belongs to this one. */
export async function isMember(db: Queryable, tenant: string, accountId: string): Promise<boolean> {
  const rows = await db.query('select 1 from memberships where tenant = $1 and account_id = $2 and active', [
    tenant,
    accountId,
  ]);
  return rows.length > 0;
}

/** Gives a role; false when it was there. */
export async function addRole(
  tx: Transaction,
  tenant: string,
  accountId: string,
  given: { role: Role; by: string },
): Promise<boolean> {
  const rows = await tx.query(
    `insert into role_grants (tenant, account_id, role, granted_by) values ($1, $2, $3, $4)
     on conflict do nothing returning 1`,
    [tenant, accountId, given.role, given.by],
  );
  return rows.length === 1;
}

/** Takes a role; false when it was not there. */
export async function removeRole(tx: Transaction, tenant: string, accountId: string, taken: Role): Promise<boolean> {
  const rows = await tx.query(
    'delete from role_grants where tenant = $1 and account_id = $2 and role = $3 returning 1',
    [tenant, accountId, taken],
  );
  return rows.length === 1;
}

/** Locks the admins of a tenant, so that of two who take each other's role one sees what the other did. */
export async function lockAdmins(tx: Transaction, tenant: string): Promise<string[]> {
  const rows = await tx.query(
    `select account_id from role_grants where tenant = $1 and role = 'admin' order by account_id for update`,
    [tenant],
  );
  return rows.map((found) => z.object({ account_id: z.string() }).parse(found).account_id);
}

/** Notes a membership as its newest event has it; false when a newer one is known. */
export async function noteMembership(
  tx: Transaction,
  tenant: string,
  { id, accountId, version, active }: { id: string; accountId: string; version: number; active: boolean },
): Promise<boolean> {
  const rows = await tx.query(
    `insert into memberships (tenant, id, account_id, version, active) values ($1, $2, $3, $4, $5)
     on conflict (tenant, id) do update set version = excluded.version, active = excluded.active
       where memberships.version < excluded.version
     returning 1`,
    [tenant, id, accountId, version, active],
  );
  return rows.length === 1;
}

/** Ends what an erased person was in a tenant. */
export function forgetMemberships(tx: Transaction, tenant: string, accountId: string): void {
  tx.write('update memberships set active = false where tenant = $1 and account_id = $2', [tenant, accountId]);
  tx.write('delete from role_grants where tenant = $1 and account_id = $2', [tenant, accountId]);
}
