import { z } from 'zod';
import { authContract, role } from '../auth/contract.ts';
import { write } from './parts.ts';
import { problems } from './problems.ts';
import { route, type Reply, type Route } from './route.ts';

const answers = { 200: { body: z.object({ roles: z.array(role) }) } };

/** Who may what. */
export const roleRoutes = {
  listRoles: route(authContract, 'listRoles', {
    method: 'GET',
    path: '/api/users/{userId}/roles',
    does: 'lists the roles of a person (admin)',
    answers,
    permission: 'roles.grant',
    limit: 'read',
    request: ({ id }) => ({ userId: id }),
    replies: { roles: rolesOf, 'not-found': noPerson },
  }),
  grantRole: route(authContract, 'grantRole', {
    method: 'POST',
    path: '/api/users/{userId}/role-grants',
    does: 'gives a person a role (admin)',
    body: z.strictObject({ role }),
    answers,
    permission: 'roles.grant',
    ...write,
    request: ({ id, body }) => ({ userId: id, ...body }),
    replies: { roles: rolesOf, 'not-found': noPerson },
  }),
  revokeRole: route(authContract, 'revokeRole', {
    method: 'POST',
    path: '/api/users/{userId}/role-revocations',
    does: 'takes a role from a person (admin)',
    body: z.strictObject({ role }),
    answers,
    permission: 'roles.grant',
    ...write,
    problems: ['last-admin'],
    request: ({ id, body }) => ({ userId: id, ...body }),
    replies: { roles: rolesOf, 'not-found': noPerson, 'last-admin': () => problems.lastAdmin() },
  }),
} satisfies Record<string, Route>;

function rolesOf({ roles }: { roles: readonly string[] }): Reply {
  return { status: 200, body: { roles } };
}

function noPerson() {
  return problems.notFound('user');
}
