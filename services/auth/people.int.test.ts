import { createLocalJWKSet, decodeJwt, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventType } from '../_chassis/contract.ts';
import { disappointedBy } from '../_e2e/expectations.ts';
import { asReporter, createBrowser, post, refresh, signIn, startAuth, tokensOf, type Auth } from './test-support.ts';

let auth: Auth;
beforeAll(async () => {
  auth = await startAuth();
});
afterAll(() => auth.close());

const asAdmin = () => auth.as({ sub: '5', roles: ['admin'] });
const from = (name: string, subject: string, data: object, tenant = 'main', id?: string) =>
  auth.deliver({
    ...{ source: 'users', topic: 'users.events', type: eventType('users', name), subject, tenant },
    data: { userId: subject, ...data },
    ...(id !== undefined && { id }),
  });
const told = async (subject: string) =>
  (await auth.emitted())
    .filter((event) => event.subject === subject)
    .map(({ type, tenant, data }) => ({ type, tenant, data }));
const invite = (id: string, email: string) => from('profile.created', id, { name: 'Ivy', email, origin: 'invitation' });
const good = 'plain words that nobody has';

async function accept(id: string, password = good) {
  const text = JSON.stringify(await told(id));
  const link = [...text.matchAll(/\/account\/reset\?token=[\w.-]+/g)].at(-1)?.[0] ?? 'no link';
  const browser = createBrowser(auth);
  return browser.fill(link, await browser.get(link), { password });
}

describe('roles', () => {
  it('when an admin grants and takes a role, it is in the next token, and told with who did it', async () => {
    const admin = await asAdmin();
    expect(await admin.grantRole({ userId: '2', role: 'warehouse' })).toEqual({
      kind: 'roles',
      roles: ['customer', 'warehouse'],
    });
    await admin.grantRole({ userId: '2', role: 'warehouse' });
    const browser = createBrowser(auth);
    const tokens = await tokensOf(browser, { email: 'ben@example.com' });
    expect(decodeJwt(tokens.access_token ?? '')).toMatchObject({ roles: ['customer', 'warehouse'] });

    expect(await admin.revokeRole({ userId: '2', role: 'warehouse' })).toEqual({ kind: 'roles', roles: ['customer'] });
    expect(await refresh(browser, tokens.refresh_token)).toMatchObject({ error: 'invalid_grant' });
    expect(await admin.listRoles({ userId: '2' })).toEqual({ kind: 'roles', roles: ['customer'] });
    const data = { userId: '2', role: 'warehouse', by: '5' };
    expect(await told('2')).toEqual([
      { type: eventType('auth', 'role.granted'), tenant: 'main', data },
      { type: eventType('auth', 'role.revoked'), tenant: 'main', data },
    ]);
  });

  it('when somebody else tries, or it is the last admin, or nobody, it is refused', async () => {
    const staff = await auth.as({ sub: '3', roles: ['staff'] });
    expect(await staff.grantRole({ userId: '3', role: 'admin' })).toEqual({ kind: 'forbidden' });
    expect(await (await auth.as()).listRoles({ userId: '3' })).toEqual({ kind: 'unauthenticated' });
    expect(await (await asAdmin()).revokeRole({ userId: '5', role: 'admin' })).toEqual({ kind: 'last-admin' });
    expect(await (await asAdmin()).grantRole({ userId: 'nobody', role: 'staff' })).toEqual({ kind: 'not-found' });
    const foreign = await auth.as({ sub: 'x', roles: ['admin'], tenant: 'acme' });
    expect(await foreign.grantRole({ userId: '1', role: 'staff' })).toEqual({ kind: 'not-found' });
  });

  it('when what is asked about is no id, there is nobody', async () => {
    const admin = await asAdmin();
    for (const userId of ['2 ', '../2', "' or 1=1 --", '2\0', '%']) {
      expect(await admin.listRoles({ userId })).toEqual({ kind: 'not-found' });
      expect(await admin.grantRole({ userId, role: 'staff' })).toEqual({ kind: 'not-found' });
      expect(await admin.revokeRole({ userId, role: 'admin' })).toEqual({ kind: 'not-found' });
    }
  });
});

describe('an invitation', () => {
  it('when its link is followed, the password is set and the address verified; a duplicate does nothing', async () => {
    expect(
      await from(
        'profile.created',
        'ivy',
        { name: 'Ivy', email: 'ivy@example.com', origin: 'invitation' },
        'main',
        'e1',
      ),
    ).toBe('SUCCESS');
    await from('profile.created', 'ivy', { name: 'Ivy', email: 'ivy@example.com', origin: 'invitation' }, 'main', 'e1');
    await invite('ivy', 'ivy@example.com');
    expect(await told('ivy')).toHaveLength(1);
    expect((await accept('ivy')).text).toContain('Your password is set');
    expect((await told('ivy')).at(-1)).toMatchObject({ type: eventType('auth', 'account.verified') });
    expect((await signIn(createBrowser(auth), { email: 'ivy@example.com', password: good })).code).toBeDefined();
  });

  it('when the address is taken, the account is declined, and its owner told', async () => {
    await invite('other-ada', 'Ada@example.com');
    expect(await told('other-ada')).toMatchObject([{ data: { userId: 'other-ada', reason: 'email-taken' } }]);
    expect(JSON.stringify(await told('1'))).toContain('You were invited, and have an account already');
  });

  it('when strangers name one address again and again, its owner is not buried under mails', async () => {
    for (let n = 0; n < 10; n++) await invite(`many-${n}`, 'ben@example.com');
    await from('email.changed', 'many-x', { email: 'ben@example.com', version: 2 });
    const mails = (await auth.emitted()).filter(({ data }) => JSON.stringify(data).includes('"to":"ben@example.com"'));
    expect(mails.length).toBeGreaterThan(0);
    expect(mails.length).toBeLessThan(7);
  });

  it('when a change of address comes first, the invitation goes to the new one, and an older change does nothing', async () => {
    await from('email.changed', 'kim', { email: 'kim2@example.com', version: 3 });
    await from('email.changed', 'kim', { email: 'kim1@example.com', version: 2 });
    await invite('kim', 'kim@example.com');
    expect(await told('kim')).toMatchObject([{ data: { to: 'kim2@example.com', subject: 'You are invited' } }]);
    await accept('kim');
    expect((await signIn(createBrowser(auth), { email: 'kim2@example.com', password: good })).code).toBeDefined();
  });
});

describe('membership', () => {
  it('when somebody belongs to another tenant, he gets its tokens by asking, until the membership ends', async () => {
    const change = { tenant: 'acme' };
    expect((await signIn(createBrowser(auth), { change })).error).toBe('access_denied');
    const membership = { membershipId: 'm1', version: 1, roles: ['staff'] };
    await from('membership.granted', '1', membership, 'acme');
    const browser = createBrowser(auth);
    const tokens = await tokensOf(browser, { change });
    expect(decodeJwt(tokens.access_token ?? '')).toMatchObject({ sub: '1', tenant: 'acme', roles: ['staff'] });
    const next = await refresh(browser, tokens.refresh_token);
    expect(decodeJwt(next.access_token ?? '')).toMatchObject({ tenant: 'acme' });

    await from('membership.revoked', '1', { membershipId: 'm1', version: 2 }, 'acme');
    await from('membership.granted', '1', membership, 'acme'); // late
    expect(await refresh(browser, next.refresh_token)).toMatchObject({ error: 'invalid_grant' });
    expect((await signIn(createBrowser(auth), { change })).error).toBe('access_denied');
    expect(decodeJwt((await tokensOf(createBrowser(auth))).access_token ?? '')).toMatchObject({ tenant: 'main' });
  });
});

describe('personal data', () => {
  it('when an export is asked for, what is kept of the person is told, and nothing secret', async () => {
    await from('export.requested', '3', { exportId: 'x1' });
    const [event] = await told('3');
    expect(event).toMatchObject({
      type: eventType('auth', 'personal-data.collected'),
      data: { exportId: 'x1', userId: '3', data: { account: { email: 'staff@example.com' }, roles: ['staff'] } },
    });
    expect(JSON.stringify(event)).not.toContain('argon2');
  });

  it('when a person is erased, the account, its sessions and data are gone, and nothing late brings it back', async () => {
    await invite('gone', 'gone@example.com');
    await accept('gone');
    const browser = createBrowser(auth);
    const tokens = await tokensOf(browser, { email: 'gone@example.com', password: good });
    await from('profile.erased', 'gone', {});
    await invite('gone', 'gone@example.com');
    await from('email.changed', 'gone', { email: 'gone@example.com', version: 9 });
    expect(await refresh(browser, tokens.refresh_token)).toMatchObject({ error: 'invalid_grant' });
    expect((await signIn(createBrowser(auth), { email: 'gone@example.com', password: good })).code).toBeUndefined();
    const bearer = { authorization: `Bearer ${tokens.access_token ?? ''}` };
    expect((await browser.get('/oauth/userinfo', bearer)).status).toBe(401);
    const rows = await auth.database.query('select * from accounts where tenant = $1 and id = $2', ['main', 'gone']);
    expect(rows).toMatchObject([{ status: 'erased', email: null, name: '', password_hash: null }]);
    expect(JSON.stringify(await told('gone'))).not.toContain('gone@example.com');
  });
});

describe('the keys', () => {
  it('when they turn while tokens are issued and checked, no token is refused', async () => {
    const turning = await startAuth({ rotationMs: 1_000, leadMs: 400 }, true);
    try {
      const browser = createBrowser(turning);
      const kids = new Set<string>();
      const tokens: string[] = [];
      while (kids.size < 3) {
        const { access_token: token = '' } = await post(
          browser,
          '/oauth/token',
          { grant_type: 'client_credentials', scope: 'read' },
          asReporter,
        );
        tokens.push(token);
        const listed = await (await turning.as()).listKeys({});
        if (listed.kind !== 'keys') throw new Error(listed.kind);
        const keys = createLocalJWKSet({ keys: listed.keys });
        for (const one of [token, tokens[0] ?? '']) {
          const { protectedHeader } = await jwtVerify(one, keys, { audience: 'sidecart' });
          kids.add(protectedHeader.kid ?? '');
        }
      }
      const stored = await turning.database.query<{ sealed: string }>('select sealed from signing_keys');
      expect(stored.length).toBeGreaterThanOrEqual(3);
    } finally {
      await turning.close();
    }
  });
});

it('when auth says something, its consumers find what they expect', async () => {
  const made = (await auth.emitted()).map(({ type, data }) => ({ name: type, value: data }));
  const { disappointments } = await disappointedBy(made);
  expect(disappointments).toEqual([]);
});
