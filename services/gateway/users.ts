import { z } from 'zod';
import {
  newUser,
  personalData,
  publicUser,
  user,
  userChange,
  userReplacement,
  usersContract,
} from '../users/contract.ts';
import type { SeenUser } from './expectations.ts';
import { limit, nothing, open, page, renderPage, write } from './parts.ts';
import { problems } from './problems.ts';
import { route, type Reply, type Route } from './route.ts';

const nobody = () => problems.notFound('user');
const tooMany = () => problems.badBody([{ pointer: '/preferences', detail: 'at most 50 preferences' }]);
const change = {
  permission: 'signed-in',
  condition: 'version',
  answers: { 200: { body: user, headers: ['etag'] } },
  ...write,
} as const;
const changed = {
  changed: ({ user: after }: { user: SeenUser }) => shown(after),
  'other-version': ({ version }: { version: number }) => problems.otherVersion(version),
  'too-many-preferences': tooMany,
  'not-found': nobody,
};

/** The routes of people. Who may see and change whom is for the service to say; nobody learns here whose address is known. */
export const userRoutes = {
  createUser: route(usersContract, 'createUser', {
    method: 'POST',
    path: '/api/users',
    does: 'signs somebody up; an invitation is mailed to him',
    body: newUser,
    answers: { 201: { body: user, headers: ['location', 'etag'] } },
    permission: 'anybody',
    ...write,
    // It sends a mail to whom its caller says.
    limit: 'sign-in',
    request: ({ body }) => body,
    replies: {
      created: ({ user: made }) => ({
        ...shown(made),
        status: 201,
        headers: { location: `/api/users/${encodeURIComponent(made.id)}` },
      }),
    },
  }),
  listUsers: route(usersContract, 'listUsers', {
    method: 'GET',
    path: '/api/users',
    does: 'lists the people of your tenant, page by page (staff)',
    query: z.strictObject({ limit, cursor: usersContract.methods.listUsers.request.shape.cursor }),
    answers: page(user),
    permission: 'people.read',
    limit: 'read',
    request: ({ query }) => query,
    replies: {
      page: ({ items, nextCursor }) => ({ status: 200, body: renderPage(items.map(renderUser), nextCursor) }),
      'bad-cursor': () => problems.badCursor(),
    },
  }),
  getUser: route(usersContract, 'getUser', {
    method: 'GET',
    path: '/api/users/{userId}',
    does: 'shows a person: everything to himself and staff, the name to everybody',
    answers: { 200: { body: z.union([user, publicUser]), headers: ['x-cache'] } },
    cache: 'revalidate',
    ...open,
    request: ({ id }) => ({ userId: id }),
    replies: {
      found: ({ user: found }) => shown(found),
      public: ({ user: { id, name }, cache }) => ({ status: 200, body: { id, name }, headers: { 'x-cache': cache } }),
      'not-found': nobody,
    },
  }),
  replaceUser: route(usersContract, 'replaceUser', {
    method: 'PUT',
    path: '/api/users/{userId}',
    does: 'replaces a profile whole (its owner, staff)',
    body: userReplacement,
    ...change,
    request: ({ id, body, versions }) => ({ userId: id, profile: body, versions: versions && [...versions] }),
    replies: changed,
  }),
  changeUser: route(usersContract, 'changeUser', {
    method: 'PATCH',
    path: '/api/users/{userId}',
    does: 'changes what is named of a profile (its owner, staff)',
    body: userChange,
    ...change,
    request: ({ id, body, versions }) => ({ userId: id, change: body, versions: versions && [...versions] }),
    replies: changed,
  }),
  eraseUser: route(usersContract, 'eraseUser', {
    method: 'DELETE',
    path: '/api/users/{userId}',
    does: 'erases a person everywhere (himself, staff)',
    answers: { 204: {} },
    permission: 'signed-in',
    ...write,
    request: ({ id }) => ({ userId: id }),
    replies: { erased: () => ({ status: 204 }), 'not-found': nobody },
  }),
  requestExport: route(usersContract, 'requestExport', {
    method: 'POST',
    path: '/api/users/{userId}/exports',
    does: 'asks every service for what it holds of a person (himself, staff)',
    body: nothing,
    answers: { 202: { body: z.object({ id: z.string() }), headers: ['location'] } },
    permission: 'signed-in',
    ...write,
    request: ({ id }) => ({ userId: id }),
    replies: {
      requested: ({ exportId: id }) => ({ status: 202, body: { id }, headers: { location: `/api/exports/${id}` } }),
      'not-found': nobody,
    },
  }),
  getExport: route(usersContract, 'getExport', {
    method: 'GET',
    path: '/api/exports/{exportId}',
    does: 'shows what services have answered so far, and which have not',
    answers: { 200: { body: personalData } },
    permission: 'signed-in',
    limit: 'read',
    request: ({ id }) => ({ exportId: id }),
    replies: {
      found: (answer) => ({ status: 200, body: answer.export }),
      'not-found': () => problems.notFound('export'),
    },
  }),
} satisfies Record<string, Route>;

const shown = (seen: SeenUser): Reply => ({ status: 200, body: renderUser(seen), version: seen.version });

/** A person as he himself and staff see him. */
const renderUser = (seen: SeenUser) => ({
  id: seen.id,
  name: seen.name,
  email: seen.email,
  addresses: seen.addresses,
  preferences: seen.preferences,
  status: seen.status,
  version: seen.version,
  createdAt: seen.createdAt,
});
