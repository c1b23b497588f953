import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startUsers } from './test-support.ts';

let users: Awaited<ReturnType<typeof startUsers>>;
beforeAll(async () => {
  users = await startUsers();
});
afterAll(() => users.service.close());

let made = 0;
/** A tenant with its admin. */
async function tenant(on = users) {
  const id = `t-${++made}`;
  const { id: userId } = await on.person(`Admin ${id}`);
  const answer = await (await on.asPerson(userId)).createTenant({ id, name: id.toUpperCase() });
  if (answer.kind !== 'created') throw new Error(answer.kind);
  return { id, userId, membershipId: answer.tenant.membershipId, admin: await on.asPerson(userId, ['admin'], id) };
}
async function invite(on: Awaited<ReturnType<typeof tenant>>, roles: readonly ('staff' | 'admin')[] = ['staff']) {
  const answer = await on.admin.inviteMember({ tenantId: on.id, email: 'guest@example.com', roles: [...roles] });
  if (answer.kind !== 'invited') throw new Error(answer.kind);
  const [mail] = await users.said(answer.invitation.id);
  const token = /"token": "([\w-]+)"/.exec(String(mail?.data['text']))?.[1] ?? '';
  return { invitationId: answer.invitation.id, token, mail };
}
async function join(on: Awaited<ReturnType<typeof tenant>>, roles?: readonly ('staff' | 'admin')[]) {
  const { id: userId } = await users.person('Guest');
  const { invitationId, token } = await invite(on, roles);
  const answer = await (await users.asPerson(userId)).acceptInvitation({ invitationId, token });
  if (answer.kind !== 'accepted') throw new Error(answer.kind);
  return { userId, membershipId: answer.membership.id };
}

describe('createTenant', () => {
  it('when somebody makes one, he is its admin, auth is told, and its name is taken', async () => {
    const { id, userId } = await tenant();
    const client = await users.asPerson(userId);
    expect(await client.listTenants({})).toMatchObject({
      items: [
        { id: 'main', roles: ['customer'] },
        { id, name: id.toUpperCase(), roles: ['admin'] },
      ],
    });
    expect((await users.said(userId)).at(-1)).toMatchObject({
      name: 'membership.granted',
      tenant: id,
      data: { userId, roles: ['admin'], version: 1 },
    });
    expect(await client.createTenant({ id, name: 'x' })).toEqual({ kind: 'taken' });
    expect(await (await users.asPerson('a-program')).createTenant({ id: 'other', name: 'x' })).toEqual({
      kind: 'forbidden',
    });
    expect(await (await users.service.as()).createTenant({ id: 'other', name: 'x' })).toEqual({
      kind: 'unauthenticated',
    });
  });
});

describe('an invitation', () => {
  it('when it is accepted with its token, he is a member, once; neither token nor address are kept', async () => {
    const on = await tenant();
    const { id: userId } = await users.person('Guest');
    const guest = await users.asPerson(userId);
    const { invitationId, token, mail } = await invite(on);
    expect(mail).toMatchObject({ name: 'mail.requested', tenant: on.id, data: { to: 'guest@example.com' } });
    expect(await users.service.database.query('select 1 from invitations where token_hash = $1', [token])).toEqual([]);

    expect(await guest.acceptInvitation({ invitationId, token: 'wrong' })).toEqual({ kind: 'not-found' });
    const key = { idempotencyKey: randomUUID() };
    const accepted = await guest.acceptInvitation({ invitationId, token }, key);
    expect(accepted).toMatchObject({ kind: 'accepted', membership: { tenant: on.id, userId, roles: ['staff'] } });
    expect(await guest.acceptInvitation({ invitationId, token }, key)).toEqual(accepted);
    expect(await guest.acceptInvitation({ invitationId, token })).toEqual({ kind: 'not-found' });
    const members = await on.admin.listMembers({ tenantId: on.id, limit: 10 });
    expect(members).toMatchObject({ kind: 'page', items: [{ userId: on.userId }, { userId, name: 'Guest' }] });
    expect((await users.said(invitationId))[0]?.data).toEqual({
      to: 'erased@example.invalid',
      subject: 'erased',
      text: 'erased',
    });
    expect(await users.everything()).not.toContain(token);
  });

  it('when two take it at once, one gets it', async () => {
    const on = await tenant();
    const { invitationId, token } = await invite(on);
    const people = await Promise.all([1, 2, 3, 4].map(() => users.person()));
    const answers = await Promise.all(
      people.map(async ({ id }) => (await (await users.asPerson(id)).acceptInvitation({ invitationId, token })).kind),
    );
    expect(answers.sort()).toEqual(['accepted', 'not-found', 'not-found', 'not-found']);
  });

  it('when its time is over, it is good for nothing, and gone', async () => {
    const brief = await startUsers({ workers: true, settings: { invitationMs: 300 } });
    try {
      const on = await tenant(brief);
      const { id: guest } = await brief.person();
      const answer = await on.admin.inviteMember({ tenantId: on.id, email: 'late@example.com', roles: ['staff'] });
      if (answer.kind !== 'invited') throw new Error(answer.kind);
      const { id: invitationId } = answer.invitation;
      const token = /"token": "([\w-]+)"/.exec(
        JSON.stringify(await brief.said(invitationId)).replaceAll('\\', ''),
      )?.[1];
      while ((await brief.everything()).includes('late@example.com')) await delay(20);
      const client = await brief.asPerson(guest);
      expect(await client.acceptInvitation({ invitationId, token: token ?? '' })).toEqual({ kind: 'not-found' });
    } finally {
      await brief.service.close();
    }
  });

  it('when the roles are more than one’s own, or one is no admin, it is refused', async () => {
    const on = await tenant();
    const { userId } = await join(on);
    const asked = { tenantId: on.id, email: 'x@example.com' };
    const staff = await users.asPerson(userId, ['staff'], on.id);
    expect(await staff.inviteMember({ ...asked, roles: ['customer'] })).toEqual({ kind: 'forbidden' });
    expect(await on.admin.inviteMember({ ...asked, roles: ['admin', 'warehouse'] })).toMatchObject({ kind: 'invited' });
  });
});

describe('members', () => {
  it('when one goes, or is sent away, auth is told; asked in again, the same membership is newer', async () => {
    const on = await tenant();
    const { userId, membershipId } = await join(on);
    expect(await on.admin.removeMember({ membershipId })).toEqual({ kind: 'removed' });
    expect(await on.admin.removeMember({ membershipId })).toEqual({ kind: 'not-found' });
    const { invitationId, token } = await invite(on, ['admin']);
    await (await users.asPerson(userId)).acceptInvitation({ invitationId, token });
    const told = (await users.said(userId)).filter(({ tenant: where }) => where === on.id);
    expect(told.map(({ name, data }) => [name, data['membershipId'], data['version'], data['roles']])).toEqual([
      ['membership.granted', membershipId, 1, ['staff']],
      ['membership.revoked', membershipId, 2, undefined],
      ['membership.granted', membershipId, 3, ['admin']],
    ]);
    expect(await (await users.asPerson(userId, ['admin'], on.id)).removeMember({ membershipId })).toEqual({
      kind: 'removed',
    });
  });

  it('when two admins send each other away at once, one stays', async () => {
    const on = await tenant();
    const other = await join(on, ['admin']);
    const otherAdmin = await users.asPerson(other.userId, ['admin'], on.id);
    const answers = await Promise.all([
      on.admin.removeMember({ membershipId: other.membershipId }),
      otherAdmin.removeMember({ membershipId: on.membershipId }),
    ]);
    expect(answers.filter(({ kind }) => kind === 'removed')).toHaveLength(1);
    expect(
      await users.service.database.query(
        `select 1 from memberships where tenant = $1 and 'admin' = any(roles) and revoked_at is null`,
        [on.id],
      ),
    ).toHaveLength(1);
  });

  it('when it is the last admin, he stays; a member may go, and send nobody away', async () => {
    const on = await tenant();
    const { userId, membershipId } = await join(on);
    const staff = await users.asPerson(userId, ['staff'], on.id);
    expect(await on.admin.removeMember({ membershipId: on.membershipId })).toEqual({ kind: 'last-admin' });
    expect(await staff.removeMember({ membershipId: on.membershipId })).toEqual({ kind: 'forbidden' });
    expect(await staff.removeMember({ membershipId })).toEqual({ kind: 'removed' });
    expect(await staff.listMembers({ tenantId: on.id, limit: 10 })).toEqual({ kind: 'not-found' });
  });
});

describe('another tenant', () => {
  it('when one is not in it, it does not exist, whatever one’s roles and token say', async () => {
    const [on, other] = [await tenant(), await tenant()];
    const { membershipId } = await join(other);
    const asked = { email: 'x@example.com', roles: ['staff' as const] };
    // An admin elsewhere; a token for it without a membership; a membership without a token for it.
    const clients = [
      on.admin,
      await users.asPerson(on.userId, ['admin'], other.id),
      await users.asPerson(other.userId, ['customer'], 'main'),
      await users.asPerson('5', ['admin'], 'main'),
    ];
    for (const client of clients) {
      expect(await client.listMembers({ tenantId: other.id, limit: 10 })).toEqual({ kind: 'not-found' });
      expect(await client.inviteMember({ tenantId: other.id, ...asked })).toEqual({ kind: 'not-found' });
      expect(await client.removeMember({ membershipId })).toEqual({ kind: 'not-found' });
    }
    expect(await on.admin.listMembers({ tenantId: 'nowhere', limit: 10 })).toEqual({ kind: 'not-found' });
  });

  it('when its admin looks at people, he sees his members whole and others as anybody does, and changes none', async () => {
    const on = await tenant();
    const { userId } = await join(on);
    const stranger = await users.person('Stranger', 'stranger@example.com');
    expect(await on.admin.getUser({ userId })).toMatchObject({ kind: 'found', user: { name: 'Guest' } });
    expect(await on.admin.getUser({ userId: stranger.id })).toMatchObject({ kind: 'public' });
    const page = await on.admin.listUsers({ limit: 100 });
    if (page.kind !== 'page') throw new Error(page.kind);
    expect(page.items.map(({ id }) => id).sort()).toEqual([on.userId, userId].sort());
    for (const id of [userId, stranger.id]) {
      expect(await on.admin.eraseUser({ userId: id })).toEqual({ kind: 'forbidden' });
      expect(await on.admin.changeUser({ userId: id, change: { name: 'x' } })).toEqual({ kind: 'forbidden' });
      expect(await on.admin.requestExport({ userId: id })).toEqual({ kind: 'forbidden' });
    }
  });
});
