import { z } from 'zod';
import type { Database, Queryable, Transaction } from '../_chassis/database.ts';
import { uuidv7 } from '../_chassis/uuid.ts';
import { roles, type Role } from '../auth/contract.ts';
import { usersContract } from './contract.ts';
import { namesOf } from './store.ts';

// All SQL of tenants, their members and invitations.

const { MembershipGranted, MembershipRevoked } = usersContract.events;

const membershipRow = z.object({
  id: z.string(),
  tenant: z.string(),
  userId: z.string(),
  roles: z.array(z.enum(roles)),
  version: z.number().int(),
});
/** A person in a tenant, now. */
export type Membership = z.infer<typeof membershipRow>;
const tenantRow = membershipRow.extend({ name: z.string() });
type Belonging = z.infer<typeof tenantRow>;
const placeRow = z.object({ tenant: z.string() });
const invitationRow = z.object({
  id: z.string(),
  tokenHash: z.string(),
  roles: z.array(z.enum(roles)),
  expiresAt: z.date(),
});

const columns = 'm.id, m.tenant, m.user_id as "userId", m.roles, m.version';

/** Makes a tenant; false where the id is taken. */
export async function addTenant(tx: Transaction, id: string, name: string): Promise<boolean> {
  const made = await tx.query(
    'insert into tenants (tenant, name) values ($1, $2) on conflict do nothing returning tenant',
    [id, name],
  );
  return made.length > 0;
}

/** The tenant's name, locked so that its members change one after the other. */
export async function lockTenant(tx: Transaction, id: string): Promise<string | undefined> {
  const [row] = await tx.query('select name from tenants where tenant = $1 for update', [id]);
  return row && z.object({ name: z.string() }).parse(row).name;
}

/** A person's membership of a tenant; undefined where there is none, or no longer. */
export async function findMembership(db: Queryable, tenant: string, userId: string): Promise<Membership | undefined> {
  const [row] = await db.query(
    `select ${columns} from memberships m where m.tenant = $1 and m.user_id = $2 and m.revoked_at is null`,
    [tenant, userId],
  );
  return row && membershipRow.parse(row);
}

/** The tenants that a person is or was in. */
export async function placesOf(db: Queryable, userId: string): Promise<string[]> {
  const rows = await db.query('select member_of as tenant from whereabouts where user_id = $1 order by member_of', [
    userId,
  ]);
  return rows.map((row) => placeRow.parse(row).tenant);
}

async function belongingOf(db: Queryable, tenant: string, userId: string): Promise<Belonging[]> {
  const rows = await db.query(
    `select ${columns}, t.name from memberships m join tenants t using (tenant)
      where m.tenant = $1 and m.user_id = $2 and m.revoked_at is null`,
    [tenant, userId],
  );
  return rows.map((row) => tenantRow.parse(row));
}

/** Where a person is a member, in all tenants, each looked at as itself. */
export async function membershipsOf(db: Database, userId: string): Promise<Belonging[]> {
  const places = await placesOf(db.across, userId);
  return (await Promise.all(places.map((tenant) => belongingOf(db.of(tenant), tenant, userId)))).flat();
}

/** The same within a transaction. */
export async function lockedMembershipsOf(tx: Transaction, userId: string): Promise<Belonging[]> {
  const found: Belonging[] = [];
  for (const tenant of await placesOf(tx, userId))
    found.push(...(await tx.within(tenant, () => belongingOf(tx, tenant, userId))));
  return found;
}

/** A page of a tenant's members. */
export async function listMembers(
  db: Database,
  page: { tenant: string; after: string; limit: number },
): Promise<(Membership & { name: string | undefined })[]> {
  const rows = await db.of(page.tenant).query(
    `select ${columns} from memberships m
      where m.tenant = $1 and m.revoked_at is null and m.id > $2 order by m.id limit $3`,
    [page.tenant, page.after, page.limit],
  );
  const members = rows.map((row) => membershipRow.parse(row));
  const names = await namesOf(
    db,
    members.map(({ userId }) => userId),
  );
  return members.map((member) => ({ ...member, name: names.get(member.userId) }));
}

/** The people who are in a tenant. */
export async function memberIds(db: Queryable, tenant: string): Promise<string[]> {
  const rows = await db.query('select user_id as "userId" from memberships where tenant = $1 and revoked_at is null', [
    tenant,
  ]);
  return rows.map((row) => membershipRow.pick({ userId: true }).parse(row).userId);
}

/** In the tenant itself: makes a person a member, or gives a member more roles. */
export async function grant(
  tx: Transaction,
  tenant: string,
  userId: string,
  given: readonly Role[],
): Promise<Membership> {
  const [row] = await tx.query(
    `insert into memberships as m (tenant, id, user_id, roles, version) values ($1, $2, $3, $4, 1)
     on conflict (tenant, user_id) do update
       set roles = case when m.revoked_at is null
             then array(select distinct unnest(m.roles || excluded.roles) order by 1) else excluded.roles end,
           version = m.version + 1, revoked_at = null
     returning ${columns}`,
    [tenant, uuidv7(), userId, given],
  );
  tx.write('insert into whereabouts (user_id, member_of) values ($1, $2) on conflict do nothing', [userId, tenant]);
  const membership = membershipRow.parse(row);
  const { id: membershipId, roles: all, version } = membership;
  tx.emit(MembershipGranted, { subject: userId, tenant, data: { userId, membershipId, version, roles: all } });
  return membership;
}

/** Ends a membership. */
export function revoke(tx: Transaction, { tenant, id: membershipId, userId, version: before }: Membership): void {
  const version = before + 1;
  tx.write(`update memberships set revoked_at = clock_timestamp(), version = $3 where tenant = $1 and id = $2`, [
    tenant,
    membershipId,
    version,
  ]);
  tx.emit(MembershipRevoked, { subject: userId, tenant, data: { userId, membershipId, version } });
}

/** A membership by its id, locked. */
export async function lockMembership(tx: Transaction, tenant: string, id: string): Promise<Membership | undefined> {
  const [row] = await tx.query(
    `select ${columns} from memberships m where m.tenant = $1 and m.id = $2 and m.revoked_at is null for update`,
    [tenant, id],
  );
  return row && membershipRow.parse(row);
}

/** Whether a locked tenant has another admin than this member. */
export async function hasOtherAdmin(tx: Transaction, { tenant, id }: Membership): Promise<boolean> {
  const others = await tx.query(
    `select 1 from memberships where tenant = $1 and id <> $2 and 'admin' = any(roles) and revoked_at is null limit 1`,
    [tenant, id],
  );
  return others.length > 0;
}

/** Writes an invitation down, of its token only the hash. */
export function addInvitation(
  tx: Transaction,
  invitation: { tenant: string; id: string; tokenHash: string; email: string; roles: readonly Role[]; expiresAt: Date },
): void {
  const { tenant, id, tokenHash, email, roles: given, expiresAt } = invitation;
  tx.write(
    'insert into invitations (tenant, id, token_hash, email, roles, expires_at) values ($1, $2, $3, $4, $5, $6)',
    [tenant, id, tokenHash, email, given, expiresAt],
  );
}

/** The invitation, locked. */
export async function lockInvitation(tx: Transaction, tenant: string, id: string) {
  const [row] = await tx.query(
    `select id, token_hash as "tokenHash", roles, expires_at as "expiresAt" from invitations
      where tenant = $1 and id = $2 for update`,
    [tenant, id],
  );
  return row && invitationRow.parse(row);
}

/** Ends an invitation, and forgets to whom it was mailed and what the mail said. */
export function endInvitation(tx: Transaction, tenant: string, id: string): void {
  tx.write('delete from invitations where tenant = $1 and id = $2', [tenant, id]);
  tx.write(
    `update outbox set envelope = jsonb_set(envelope::jsonb, '{data}', $4::jsonb)
      where tenant = $1 and subject = $2 and type = $3`,
    [
      tenant,
      id,
      usersContract.events.MailRequested.type,
      JSON.stringify({ to: 'erased@example.invalid', subject: 'erased', text: 'erased' }),
    ],
  );
}
