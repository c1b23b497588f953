import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startTestGateway } from './test-gateway.ts';

let gateway: Awaited<ReturnType<typeof startTestGateway>>;
beforeAll(async () => {
  gateway = await startTestGateway({ deadlineMs: 300 });
});
afterAll(() => gateway.close());
beforeEach(() => gateway.reset());

const address = { lines: ['Main Street 1'], postalCode: '10115', city: 'Berlin', country: 'DE' };
const user = {
  ...{ id: '7', name: 'John', email: 'john@example.com', addresses: [address], preferences: { theme: 'dark' } },
  ...{ status: 'active', version: 3, createdAt: '2026-01-01T00:00:00.000Z' },
};
const notFound = { kind: 'not-found' };

describe('people', () => {
  it('when somebody without a token signs up, 201 with Location', async () => {
    gateway.answer('users.createUser', { kind: 'created', user });
    const { status, headers, json } = await gateway.send('POST', '/api/users', undefined, {
      name: 'John',
      email: 'John@Example.com',
    });
    expect([status, headers.get('location'), json]).toEqual([201, '/api/users/7', user]);
    expect(gateway.asked[0]).toMatchObject({
      request: { name: 'John', email: 'john@example.com', addresses: [], preferences: {} },
      key: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
    });
  });

  it('when the body is no person, every field that is wrong is named, and nobody is asked', async () => {
    const bad = { email: 'x', addresses: [{ ...address, country: 'Germany' }], preferences: { 'a b': 1 }, admin: true };
    const { status, json } = await gateway.send('POST', '/api/users', undefined, bad);
    expect([status, json['code']]).toEqual([400, 'bad-body']);
    const pointers = (json['errors'] as { pointer: string }[]).map(({ pointer }) => pointer);
    expect(pointers.sort()).toEqual(['/addresses/0/country', '/admin', '/email', '/name', '/preferences/a b']);
    expect(gateway.asked).toEqual([]);
  });

  it('when read, everybody gets the name and whence it came, the owner everything', async () => {
    gateway.answer('users.getUser', { kind: 'public', user: { id: '7', name: 'John' }, cache: 'hit' });
    const seen = await gateway.send('GET', '/api/users/7');
    expect([seen.json, seen.headers.get('x-cache')]).toEqual([{ id: '7', name: 'John' }, 'hit']);
    gateway.answer('users.getUser', { kind: 'found', user });
    const own = await gateway.send('GET', '/api/users/7', 'customer');
    expect([own.json, own.headers.get('x-cache')]).toEqual([user, null]);
  });

  it('when changed or replaced on condition, the version of the ETag goes along; another one is 412', async () => {
    gateway.answer('users.getUser', { kind: 'found', user });
    gateway.answer('users.changeUser', { kind: 'changed', user });
    gateway.answer('users.replaceUser', { kind: 'other-version', version: 4 });
    const etag = (await gateway.send('GET', '/api/users/7', 'customer')).headers.get('etag') ?? '';
    const headers = { 'if-match': etag };
    const changed = await gateway.send('PATCH', '/api/users/7', 'customer', { preferences: { theme: null } }, headers);
    expect(changed.json).toEqual(user);
    const profile = { name: 'John', email: 'john@example.com', version: 3 };
    const replaced = await gateway.send('PUT', '/api/users/7', 'customer', profile, headers);
    expect([replaced.status, replaced.json['code']]).toEqual([412, 'other-version']);
    expect(gateway.asked.slice(1).map(({ request }) => request)).toMatchObject([
      { userId: '7', change: { preferences: { theme: null } }, versions: [3] },
      { userId: '7', profile: { version: 3 }, versions: [3] },
    ]);
    gateway.answer('users.changeUser', { kind: 'too-many-preferences' });
    expect((await gateway.send('PATCH', '/api/users/7', 'customer', { name: 'x' })).status).toBe(400);
  });

  it('when erased 204, listed by staff a page, exported 202 with where to look', async () => {
    gateway.answer('users.eraseUser', { kind: 'erased' });
    gateway.answer('users.listUsers', { kind: 'page', items: [user], nextCursor: 'c' });
    gateway.answer('users.requestExport', { kind: 'requested', exportId: 'e' });
    const parts = [{ service: 'users', tenant: 'main', at: 't', data: { profile: {} } }];
    const missing = [{ service: 'auth', tenant: 'main' }];
    const collecting = { id: 'e', userId: '7', status: 'collecting', requestedAt: 't', parts, missing };
    gateway.answer('users.getExport', { kind: 'found', export: collecting });
    expect((await gateway.send('DELETE', '/api/users/7', 'customer')).status).toBe(204);
    const page = await gateway.send('GET', '/api/users?limit=5', 'staff');
    expect([page.json, gateway.asked[1]?.request]).toEqual([{ items: [user], nextCursor: 'c' }, { limit: 5 }]);
    const asked = await gateway.send('POST', '/api/users/7/exports', 'customer');
    expect([asked.status, asked.headers.get('location'), asked.json]).toEqual([202, '/api/exports/e', { id: 'e' }]);
    expect((await gateway.send('GET', '/api/exports/e', 'customer')).json).toEqual(collecting);
  });

  it('when there is nobody, 404 in every way; without a token 401 but for reading and signing up', async () => {
    for (const method of ['getUser', 'replaceUser', 'changeUser', 'eraseUser', 'requestExport'])
      gateway.answer(`users.${method}`, notFound);
    const profile = { name: 'x', email: 'x@example.com' };
    const all = [
      ['GET', '/api/users/x'],
      ['PUT', '/api/users/x', profile],
      ['PATCH', '/api/users/x', { name: 'x' }],
      ['DELETE', '/api/users/x'],
      ['POST', '/api/users/x/exports'],
    ] as const;
    for (const [verb, path, body] of all) {
      expect((await gateway.send(verb, path, 'customer', body)).status).toBe(404);
      expect((await gateway.send(verb, path, undefined, body)).status).toBe(verb === 'GET' ? 404 : 401);
    }
    expect((await gateway.send('GET', '/api/users', 'customer')).status).toBe(403);
  });
});

describe('tenants', () => {
  const tenant = { id: 'acme', name: 'Acme', membershipId: 'm', roles: ['admin'] };

  it('when made, listed and joined, the answers are what users says', async () => {
    const membership = { id: 'm', tenant: 'acme', userId: '1', roles: ['staff'] };
    const invitation = { id: 'acme.i', expiresAt: 't' };
    gateway.answer('users.createTenant', { kind: 'created', tenant });
    gateway.answer('users.listTenants', { kind: 'tenants', items: [tenant] });
    gateway.answer('users.listMembers', { kind: 'page', items: [{ id: 'm', userId: '1', roles: ['staff'] }] });
    gateway.answer('users.inviteMember', { kind: 'invited', invitation });
    gateway.answer('users.acceptInvitation', { kind: 'accepted', membership });
    gateway.answer('users.removeMember', { kind: 'removed' });
    const invited = { email: 'x@example.com', roles: ['staff'] };
    const all = [
      await gateway.send('POST', '/api/tenants', 'customer', { id: 'acme', name: 'Acme' }),
      await gateway.send('GET', '/api/tenants', 'customer'),
      await gateway.send('GET', '/api/tenants/acme/members', 'customer'),
      await gateway.send('POST', '/api/tenants/acme/invitations', 'customer', invited),
      await gateway.send('POST', '/api/invitations/acme.i/acceptance', 'customer', { token: 't' }),
      await gateway.send('DELETE', '/api/memberships/m', 'customer'),
    ];
    expect(all.map(({ status }) => status)).toEqual([201, 200, 200, 201, 200, 204]);
    expect(all[1]?.json).toEqual({ items: [tenant] });
    expect(gateway.asked.map(({ request }) => request)).toEqual([
      { id: 'acme', name: 'Acme' },
      {},
      { tenantId: 'acme', limit: 20 },
      { tenantId: 'acme', ...invited },
      { invitationId: 'acme.i', token: 't' },
      { membershipId: 'm' },
    ]);
  });

  it('when the id is taken or the admin is the last, 409; what one is not in is 404', async () => {
    gateway.answer('users.createTenant', { kind: 'taken' });
    gateway.answer('users.removeMember', { kind: 'last-admin' });
    for (const method of ['listMembers', 'inviteMember', 'acceptInvitation'])
      gateway.answer(`users.${method}`, notFound);
    const all = [
      await gateway.send('POST', '/api/tenants', 'customer', { id: 'acme', name: 'Acme' }),
      await gateway.send('DELETE', '/api/memberships/m', 'customer'),
      await gateway.send('GET', '/api/tenants/acme/members', 'customer'),
      await gateway.send('POST', '/api/tenants/acme/invitations', 'customer', { email: 'a@b.cd', roles: ['staff'] }),
      await gateway.send('POST', '/api/invitations/i/acceptance', 'customer', { token: 't' }),
    ];
    expect(all.map(({ status, json }) => `${status} ${String(json['code'])}`)).toEqual([
      '409 tenant-taken',
      '409 last-admin',
      ...Array.from({ length: 3 }, () => '404 not-found'),
    ]);
  });
});
