import { createHash, randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { Call, Methods } from '../_chassis/call.ts';
import type { Database, Transaction } from '../_chassis/database.ts';
import { finish, schedule } from '../_chassis/due-work.ts';
import { once } from '../_chassis/idempotency.ts';
import { decodeCursor, encodeCursor } from '../_chassis/page.ts';
import { isPermitted } from '../_chassis/permission.ts';
import { uuidv7 } from '../_chassis/uuid.ts';
import { permissions } from '../auth/contract.ts';
import { usersContract } from './contract.ts';
import * as members from './memberships.ts';
import { mayGive } from './profile.ts';
import { home, lockProfile } from './store.ts';

const { MailRequested } = usersContract.events;

/** The due work that ends an invitation which nobody has accepted. */
export const invitationKind = 'end-invitation';

const position = z.string().regex(/^[\w-]{1,64}$/);
const hashOf = (token: string) => createHash('sha256').update(token).digest('base64');
/** The tenant that an invitation is of is written in its id: whoever accepts it is not in that tenant yet. */
const tenantOf = (invitationId: string) => /^([a-z][a-z0-9-]{1,23})\./.exec(invitationId)?.[1];
const isId = (text: string) => /^[\w.-]{1,64}$/.test(text);

/** Whether somebody has a profile, locked until the transaction ends, so that he is not erased meanwhile. */
const isPerson = async (tx: Transaction, id: string) =>
  (await tx.within(home, () => lockProfile(tx, id)))?.user !== undefined;

type TenantMethods = Pick<
  Methods<typeof usersContract>,
  'createTenant' | 'listTenants' | 'listMembers' | 'inviteMember' | 'acceptInvitation' | 'removeMember'
>;

/** Tenants and who is in them. A tenant that one is not in does not exist; one's token says in which one is now. */
export function tenantMethods(deps: { database: Database; publicUrl: string; invitationMs: number }): TenantMethods {
  const { database, publicUrl, invitationMs } = deps;

  const isMember = async ({ principal, tenant }: Call, tenantId: string) =>
    principal !== undefined &&
    tenant === tenantId &&
    (await members.findMembership(database.of(tenantId), tenantId, principal.subject)) !== undefined;

  return {
    async createTenant(request, call) {
      if (!call.principal) return { kind: 'unauthenticated' };
      const { subject } = call.principal;
      return once(database, call, 'createTenant', request, async (tx) => {
        // What has no profile, such as a program's client, can't be a member either.
        if (!(await isPerson(tx, subject))) return { kind: 'forbidden' as const };
        const { id, name } = request;
        return tx.within(id, async () => {
          if (!(await members.addTenant(tx, id, name))) return { kind: 'taken' as const };
          const { id: membershipId, roles } = await members.grant(tx, id, subject, ['admin']);
          return { kind: 'created' as const, tenant: { id, name, membershipId, roles } };
        });
      });
    },

    async listTenants(_request, { principal }) {
      if (!principal) return { kind: 'unauthenticated' };
      const found = await members.membershipsOf(database, principal.subject);
      const items = found.map(({ tenant: id, name, id: membershipId, roles }) => ({ id, name, membershipId, roles }));
      return { kind: 'tenants', items };
    },

    async listMembers({ tenantId, limit, cursor }, call) {
      if (!call.principal) return { kind: 'unauthenticated' };
      if (!(await isMember(call, tenantId))) return { kind: 'not-found' };
      const after = cursor === undefined ? '' : decodeCursor(position, cursor);
      if (after === undefined) return { kind: 'bad-cursor' };
      const found = await members.listMembers(database, { tenant: tenantId, after, limit: limit + 1 });
      const items = found.slice(0, limit);
      const last = items.at(-1);
      return {
        kind: 'page',
        items: items.map(({ id, userId, name, roles }) => ({ id, userId, ...(name !== undefined && { name }), roles })),
        ...(found.length > limit && last && { nextCursor: encodeCursor(last.id) }),
      };
    },

    async inviteMember(request, call) {
      if (!call.principal) return { kind: 'unauthenticated' };
      const { roles: own } = call.principal;
      const { tenantId, email, roles } = request;
      if (!(await isMember(call, tenantId))) return { kind: 'not-found' };
      if (!isPermitted(permissions['tenants.manage'], call)) return { kind: 'forbidden' };
      if (roles.some((role) => !mayGive(own, role, permissions))) return { kind: 'forbidden' };
      return once(database, call, 'inviteMember', request, async (tx) => {
        const name = await members.lockTenant(tx, tenantId);
        const id = `${tenantId}.${uuidv7()}`;
        const token = randomBytes(32).toString('base64url');
        const expiresAt = new Date(Date.now() + invitationMs);
        members.addInvitation(tx, { tenant: tenantId, id, tokenHash: hashOf(token), email, roles, expiresAt });
        schedule(tx, { kind: invitationKind, subject: id, tenant: tenantId, state: 'open', inMs: invitationMs });
        const text =
          `You are asked to join ${name} as ${roles.join(', ')}. Sign in, then send {"token": "${token}"} ` +
          `to POST ${publicUrl}/api/invitations/${id}/acceptance before ${expiresAt.toISOString()}.`;
        const data = { to: email, subject: `An invitation to ${name}`, text };
        tx.emit(MailRequested, { subject: id, tenant: tenantId, data });
        return { kind: 'invited' as const, invitation: { id, expiresAt: expiresAt.toISOString() } };
      });
    },

    async acceptInvitation(request, call) {
      if (!call.principal) return { kind: 'unauthenticated' };
      const { subject } = call.principal;
      const { invitationId, token } = request;
      const tenant = tenantOf(invitationId);
      if (tenant === undefined || !isId(invitationId)) return { kind: 'not-found' };
      // The token is a secret: what is recorded under the key is its hash.
      return once(database, call, 'acceptInvitation', { invitationId, token: hashOf(token) }, async (tx) => {
        if (!(await isPerson(tx, subject))) return { kind: 'not-found' as const };
        return tx.within(tenant, async () => {
          const invitation = await members.lockInvitation(tx, tenant, invitationId);
          const isGood = invitation?.tokenHash === hashOf(token) && invitation.expiresAt > new Date();
          if (!isGood) return { kind: 'not-found' as const };
          members.endInvitation(tx, tenant, invitationId);
          finish(tx, { kind: invitationKind, subject: invitationId });
          const { id, userId, roles } = await members.grant(tx, tenant, subject, invitation.roles);
          return { kind: 'accepted' as const, membership: { id, tenant, userId, roles } };
        });
      });
    },

    async removeMember(request, call) {
      if (!call.principal) return { kind: 'unauthenticated' };
      const { tenant, principal } = call;
      const { membershipId } = request;
      if (!isId(membershipId) || !(await isMember(call, tenant))) return { kind: 'not-found' };
      return once(database, call, 'removeMember', request, async (tx) => {
        await members.lockTenant(tx, tenant);
        const membership = await members.lockMembership(tx, tenant, membershipId);
        if (!membership) return { kind: 'not-found' as const };
        const isOwn = membership.userId === principal.subject;
        if (!isOwn && !isPermitted(permissions['tenants.manage'], call)) return { kind: 'forbidden' as const };
        if (membership.roles.includes('admin') && !(await members.hasOtherAdmin(tx, membership)))
          return { kind: 'last-admin' as const };
        members.revoke(tx, membership);
        return { kind: 'removed' as const };
      });
    },
  };
}
