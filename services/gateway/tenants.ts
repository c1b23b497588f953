import { z } from 'zod';
import { invitation, member, membership, newInvitation, newTenant, tenant, usersContract } from '../users/contract.ts';
import { limit, page, renderPage, write } from './parts.ts';
import { problems } from './problems.ts';
import { route, type Route } from './route.ts';

// Whoever is not in a tenant is told the same as if there were none.
const noTenant = () => problems.notFound('tenant');
const read = { permission: 'signed-in', limit: 'read' } as const;
const signedIn = { permission: 'signed-in', ...write } as const;

/** The routes of tenants and who is in them. */
export const tenantRoutes = {
  createTenant: route(usersContract, 'createTenant', {
    method: 'POST',
    path: '/api/tenants',
    does: 'makes a tenant, with you as its admin',
    body: newTenant,
    answers: { 201: { body: tenant, headers: ['location'] } },
    problems: ['tenant-taken'],
    ...signedIn,
    request: ({ body }) => body,
    replies: {
      created: ({ tenant: made }) => ({
        status: 201,
        body: made,
        headers: { location: `/api/tenants/${made.id}/members` },
      }),
      taken: () => problems.tenantTaken(),
    },
  }),
  listTenants: route(usersContract, 'listTenants', {
    method: 'GET',
    path: '/api/tenants',
    does: 'lists the tenants that you are in',
    answers: { 200: { body: z.object({ items: z.array(tenant) }) } },
    ...read,
    request: () => ({}),
    replies: { tenants: ({ items }) => ({ status: 200, body: { items } }) },
  }),
  listMembers: route(usersContract, 'listMembers', {
    method: 'GET',
    path: '/api/tenants/{tenantId}/members',
    does: 'lists the members of the tenant that you are in now, page by page',
    query: z.strictObject({ limit, cursor: usersContract.methods.listMembers.request.shape.cursor }),
    answers: page(member),
    ...read,
    request: ({ id, query }) => ({ tenantId: id, ...query }),
    replies: {
      page: ({ items, nextCursor }) => ({ status: 200, body: renderPage(items, nextCursor) }),
      'bad-cursor': () => problems.badCursor(),
      'not-found': noTenant,
    },
  }),
  inviteMember: route(usersContract, 'inviteMember', {
    method: 'POST',
    path: '/api/tenants/{tenantId}/invitations',
    does: 'mails an invitation to your tenant (its admin), with roles that are also yours',
    body: newInvitation,
    answers: { 201: { body: invitation } },
    ...signedIn,
    limit: 'sign-in',
    request: ({ id, body }) => ({ ...body, tenantId: id }),
    replies: { invited: ({ invitation: made }) => ({ status: 201, body: made }), 'not-found': noTenant },
  }),
  acceptInvitation: route(usersContract, 'acceptInvitation', {
    method: 'POST',
    path: '/api/invitations/{invitationId}/acceptance',
    does: 'accepts an invitation with the token that was mailed',
    body: z.strictObject({ token: z.string().min(1).max(100) }),
    answers: { 200: { body: membership } },
    ...signedIn,
    limit: 'sign-in',
    request: ({ id, body }) => ({ invitationId: id, token: body.token }),
    replies: {
      accepted: ({ membership: made }) => ({ status: 200, body: made }),
      'not-found': () => problems.notFound('invitation'),
    },
  }),
  removeMember: route(usersContract, 'removeMember', {
    method: 'DELETE',
    path: '/api/memberships/{membershipId}',
    does: 'ends a membership of your tenant (its admin, or your own)',
    answers: { 204: {} },
    problems: ['last-admin'],
    ...signedIn,
    request: ({ id }) => ({ membershipId: id }),
    replies: {
      removed: () => ({ status: 204 }),
      'last-admin': () => problems.lastAdmin(),
      'not-found': () => problems.notFound('membership'),
    },
  }),
} satisfies Record<string, Route>;
