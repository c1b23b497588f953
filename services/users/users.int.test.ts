import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { disappointedBy } from '../_e2e/expectations.ts';
import { startUsers } from './test-support.ts';

let users: Awaited<ReturnType<typeof startUsers>>;
beforeAll(async () => {
  users = await startUsers();
});
afterAll(() => users.service.close());

const anybody = () => users.service.as();

describe('createUser', () => {
  it('when somebody without a token signs up, there is a profile, auth is asked to invite, and a key is answered twice', async () => {
    const [client, key] = [await anybody(), { idempotencyKey: randomUUID() }];
    const first = await client.createUser({ name: ' John ', email: 'John@Example.com' }, key);
    expect(await client.createUser({ name: ' John ', email: 'John@Example.com' }, key)).toEqual(first);
    if (first.kind !== 'created') throw new Error(first.kind);
    const { id } = first.user;
    expect(first.user).toMatchObject({ name: 'John', email: 'john@example.com', status: 'invited', version: 1 });
    expect(await users.said(id)).toEqual([
      {
        name: 'profile.created',
        tenant: 'main',
        data: { userId: id, name: 'John', email: 'john@example.com', origin: 'invitation' },
      },
    ]);
  });

  it('when the address is known, nobody can see a difference: not in the answer, and not after auth has declined', async () => {
    const [known, fresh] = [
      await users.invite('Same', 'ada@example.com'),
      await users.invite('Same', 'new@example.com'),
    ];
    await users.heard('account.declined', known.id, { reason: 'email-taken' });
    const shape = ({ id: _, email: __, createdAt: ___, ...rest }: typeof known) => rest;
    expect(shape(known)).toEqual(shape(fresh));
    const views = await Promise.all(
      [known, fresh].map(async ({ id }) => ({
        seen: { ...((await users.seen(id)) as object), id: '' },
        changed: (await (await users.asPerson('other')).changeUser({ userId: id, change: { name: 'x' } })).kind,
      })),
    );
    expect(views[0]).toEqual(views[1]);
    // What is left of it has no address any more.
    expect((await users.said(known.id))[0]?.data).toMatchObject({ email: 'erased@example.invalid' });
    expect((await users.service.database.query('select email from profiles where id = $1', [known.id]))[0]).toEqual({
      email: null,
    });
  });
});

describe('getUser', () => {
  it('when anybody asks, he gets the public part, the second time from the cache, which holds no more', async () => {
    const { id } = await users.person('Dora', 'dora@example.com');
    const client = await anybody();
    expect(await client.getUser({ userId: id })).toEqual({ kind: 'public', user: { id, name: 'Dora' }, cache: 'miss' });
    expect(await client.getUser({ userId: id })).toEqual({ kind: 'public', user: { id, name: 'Dora' }, cache: 'hit' });
    const cached = await users.service.sidecar.getState(`main/${id}`);
    expect(cached?.value).toEqual({ version: 1, value: { id, name: 'Dora' } });
  });

  it('when owner or staff ask, they get everything; other customers do not', async () => {
    const { id } = await users.person('Elias', 'elias@example.com');
    for (const client of [await users.asPerson(id), await users.asStaff()])
      expect(await client.getUser({ userId: id })).toMatchObject({
        kind: 'found',
        user: { email: 'elias@example.com', status: 'active' },
      });
    expect(await (await users.asPerson('2')).getUser({ userId: id })).toMatchObject({ kind: 'public' });
  });

  it('when there is nobody, or the id is none, not-found', async () => {
    for (const id of ['nobody', 'a/b', '\0', 'ü']) expect(await users.seen(id)).toBe('not-found');
  });

  it('when a name was changed, the next read by anybody has it', async () => {
    const { id } = await users.person('Before');
    await users.seen(id);
    await (await users.asPerson(id)).changeUser({ userId: id, change: { name: 'After' } });
    expect(await users.seen(id)).toEqual({ id, name: 'After' });
  });
});

describe('replaceUser and changeUser', () => {
  const address = { lines: ['Main Street 1'], postalCode: '10115', city: 'Berlin', country: 'DE' };

  it('when the owner merges and then replaces, fields stay and then go; a new address is told', async () => {
    const { id } = await users.person('Finn', 'finn@example.com');
    const client = await users.asPerson(id);
    const change = { addresses: [address], preferences: { theme: 'dark', size: 3 } };
    await client.changeUser({ userId: id, change });
    expect(await users.own(id)).toMatchObject({ ...change, name: 'Finn', version: 2 });
    await client.changeUser({ userId: id, change: { preferences: { size: null, news: true } } });
    expect((await users.own(id)).preferences).toEqual({ theme: 'dark', news: true });

    const profile = { name: 'Finn B.', email: 'b@example.com' };
    await client.replaceUser({ userId: id, profile });
    expect(await users.own(id)).toMatchObject({ ...profile, addresses: [], preferences: {}, version: 4 });
    const told = (await users.said(id)).filter(({ name }) => name === 'email.changed');
    expect(told.map(({ data }) => data)).toEqual([{ userId: id, email: 'b@example.com', version: 4 }]);
  });

  it('when the version is another, nothing changes', async () => {
    const { id } = await users.person();
    const client = await users.asPerson(id);
    const stale = { kind: 'other-version', version: 1 };
    expect(await client.changeUser({ userId: id, change: { name: 'x', version: 7 } })).toEqual(stale);
    expect(
      await client.replaceUser({ userId: id, profile: { name: 'x', email: 'x@example.com', version: 2 } }),
    ).toEqual(stale);
    expect(await client.changeUser({ userId: id, change: { name: 'x', version: 1 } })).toMatchObject({
      kind: 'changed',
    });
  });

  it('when it is not his, or he has no token, he may not; staff may', async () => {
    const { id } = await users.person();
    const change = { userId: id, change: { name: 'Mine' } };
    expect(await (await anybody()).changeUser(change)).toEqual({ kind: 'unauthenticated' });
    expect(await (await users.asPerson('2')).changeUser(change)).toEqual({ kind: 'forbidden' });
    expect(await (await users.asPerson('4', ['warehouse'])).eraseUser({ userId: id })).toEqual({ kind: 'forbidden' });
    expect(await (await users.asStaff()).changeUser(change)).toMatchObject({ kind: 'changed' });
  });

  it('when preferences become too many by merging, nothing changes', async () => {
    const { id } = await users.person();
    const some = (letter: string) =>
      Object.fromEntries(Array.from({ length: 30 }, (_, n) => [`${letter}${n}`, true] as const));
    const client = await users.asPerson(id);
    await client.changeUser({ userId: id, change: { preferences: some('a') } });
    expect(await client.changeUser({ userId: id, change: { preferences: some('b') } })).toEqual({
      kind: 'too-many-preferences',
    });
  });
});

describe('listUsers', () => {
  it('when staff page through, everybody comes once; others may not', async () => {
    for (const name of ['P1', 'P2', 'P3']) await users.invite(name);
    const staff = await users.asStaff();
    const names: string[] = [];
    for (let cursor: string | undefined; ;) {
      const page = await staff.listUsers({ limit: 2, ...(cursor !== undefined && { cursor }) });
      if (page.kind !== 'page') throw new Error(page.kind);
      names.push(...page.items.map((item) => item.id));
      cursor = page.nextCursor;
      if (cursor === undefined) break;
    }
    expect(new Set(names).size).toBe(names.length);
    expect(await staff.listUsers({ limit: 2, cursor: 'x' })).toEqual({ kind: 'bad-cursor' });
    expect(await (await users.asPerson('1')).listUsers({ limit: 2 })).toEqual({ kind: 'forbidden' });
  });
});

describe('eraseUser', () => {
  it('when the owner asks, nothing of him is left here, every tenant is told, and it stays so', async () => {
    const { id } = await users.person('Greta Unique', 'greta.unique@example.com');
    const client = await users.asPerson(id);
    await client.changeUser({ userId: id, change: { email: 'other.unique@example.com' } });
    await client.createTenant({ id: 'greta-co', name: 'G' });
    await client.requestExport({ userId: id });
    await users.seen(id);
    const key = { idempotencyKey: randomUUID() };
    expect(await client.eraseUser({ userId: id }, key)).toEqual({ kind: 'erased' });
    expect(await client.eraseUser({ userId: id }, key)).toEqual({ kind: 'erased' });
    expect(await client.eraseUser({ userId: id })).toEqual({ kind: 'not-found' });

    expect(await users.everything()).not.toMatch(/unique/i);
    expect((await users.service.sidecar.getState(`main/${id}`))?.value).toEqual({ version: 3, value: null });
    expect(await users.seen(id)).toBe('not-found');
    const told = (await users.said(id)).filter(({ name }) => /erased|revoked/.test(name));
    expect(told.map(({ name, tenant }) => `${name} ${tenant}`).sort()).toEqual([
      'membership.revoked greta-co',
      'membership.revoked main',
      'profile.erased greta-co',
      'profile.erased main',
    ]);
  });

  it('when what auth said comes after it, nobody comes back', async () => {
    const { id } = await users.invite();
    await (await users.asStaff()).eraseUser({ userId: id });
    for (const name of ['account.verified', 'account.registered', 'account.declined'])
      expect(await users.heard(name, id, { name: 'Back', email: 'back@example.com' })).toBe('SUCCESS');
    expect(await users.seen(id)).toBe('not-found');
    expect(await (await users.asStaff()).getUser({ userId: id })).toEqual({ kind: 'not-found' });
    expect(await users.everything()).not.toMatch(/back@/);
  });
});

describe('an invitation that nobody takes', () => {
  it('when its time is over, its profile goes, declined or not; a verified one stays', async () => {
    const brief = await startUsers({ workers: true, settings: { invitationMs: 50 } });
    try {
      const [open, declined] = [await brief.invite('Open'), await brief.invite('Declined')];
      await brief.heard('account.declined', declined.id);
      while ((await brief.seen(open.id)) !== 'not-found') await delay(20);
      while ((await brief.seen(declined.id)) !== 'not-found') await delay(20);
      expect((await brief.said(open.id)).at(-1)?.name).toBe('profile.erased');
      const stays = await startUsers({ workers: true });
      const { id } = await stays.person();
      expect(await stays.service.database.query(`select 1 from due_work where kind = 'end-profile'`)).toEqual([]);
      expect(await stays.seen(id)).toMatchObject({ id });
      await stays.service.close();
    } finally {
      await brief.service.close();
    }
  });
});

describe('what users says', () => {
  it('when anybody expects it, he is not disappointed', async () => {
    const { id } = await users.person();
    await (await users.asPerson(id)).requestExport({ userId: id });
    await (await users.asPerson(id)).eraseUser({ userId: id });
    const made = (await users.service.emitted()).map(({ type, data }) => ({ name: type, value: data }));
    const { disappointments } = await disappointedBy(made);
    expect(disappointments).toEqual([]);
  });
});
