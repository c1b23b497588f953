import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seed } from './seed.ts';
import { startUsers } from './test-support.ts';

let users: Awaited<ReturnType<typeof startUsers>>;
beforeAll(async () => {
  users = await startUsers();
});
afterAll(() => users.service.close());

describe('seed', () => {
  it('when run twice, five people are members; what was said of them can be read; who is erased stays so', async () => {
    const client = new pg.Client({ connectionString: users.service.database.url });
    await client.connect();
    await seed(client);
    expect(await (await users.asPerson('5', ['admin'])).removeMember({ membershipId: 'seed-5' })).toEqual({
      kind: 'last-admin',
    });
    expect(await (await users.asPerson('3')).listTenants({})).toMatchObject({
      items: [{ id: 'main', roles: ['staff'] }],
    });
    const page = await (await users.asPerson('1')).listMembers({ tenantId: 'main', limit: 10 });
    if (page.kind !== 'page') throw new Error(page.kind);
    expect(page.items.map(({ userId, name, roles }) => `${userId} ${name} ${roles.join()}`)).toEqual([
      '1 Ada customer',
      '2 Ben customer',
      '3 Staff staff',
      '4 Warehouse warehouse',
      '5 Admin admin',
    ]);
    const ids = (await users.service.emitted()).map(({ id }) => id);
    const { envelopes } = await (await users.service.as({ from: 'auth' })).readEvents({ ids }).then((answer) => {
      if (answer.kind !== 'envelopes') throw new Error(answer.kind);
      return answer;
    });
    expect(envelopes).toHaveLength(10);

    await (await users.asPerson('2')).eraseUser({ userId: '2' });
    await seed(client);
    await client.end();
    expect(await users.seen('2')).toBe('not-found');
    expect(await users.everything()).not.toMatch(/ben@|"Ben"/);
  });
});
