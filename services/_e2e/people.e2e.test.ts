import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { tenantRoutes } from '../gateway/tenants.ts';
import { userRoutes } from '../gateway/users.ts';
import { readMails } from '../../tools/mails.ts';
import { expectAnswered } from './answered.ts';
import { describeHappyPeople } from './happy-people.ts';
import { openShop, type Shop } from './shop.ts';

let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ replicas: { users: 2 }, env: { CATCH_UP_INTERVAL_MS: '500' } });
  return () => shop.close();
});

describeHappyPeople(() => shop);

describe('roles', () => {
  const roles = z.object({ roles: z.array(z.string()) });
  const path = '/api/users/2';
  const change = (kind: string) => shop.as('admin')({ path: `${path}/role-${kind}`, body: { role: 'warehouse' } });

  it('when an admin gives one, he has it; when it is taken, no longer', async () => {
    expect(roles.parse((await change('grants')).body).roles).toEqual(['customer', 'warehouse']);
    expect(roles.parse((await shop.as('admin')({ path: `${path}/roles` })).body).roles).toContain('warehouse');
    expect(roles.parse((await change('revocations')).body).roles).toEqual(['customer']);
    expect((await shop.as('staff')({ path: `${path}/roles` })).status).toBe(403);
  });
});

describe('an invitation', () => {
  const membership = z.object({ id: z.string(), userId: z.string() });

  it('when its mail is followed, makes a member, until the membership is ended', async () => {
    const body = { email: 'guest@example.com', roles: ['customer'] };
    const invited = await shop.as('admin')({ path: '/api/tenants/main/invitations', body });
    expect(invited.status).toBe(201);
    const { id } = z.object({ id: z.string() }).parse(invited.body);
    const [mail] = await readMails(shop.mesh.home, body.email);
    const token = /"token": "([\w-]+)"/.exec(mail?.text ?? '')?.[1];
    const accepted = await shop.as('ada')({ path: `/api/invitations/${id}/acceptance`, body: { token } });
    expect(accepted.status).toBe(200);
    const path = `/api/memberships/${membership.parse(accepted.body).id}`;
    expect((await shop.as('admin')({ method: 'DELETE', path })).status).toBe(204);
  });
});

describe('profiles', () => {
  it('when staff list them, and the owner replaces his, both are done', async () => {
    expect((await shop.as('staff')({ path: '/api/users' })).status).toBe(200);
    const body = { name: 'Ada', email: 'ada@example.com', preferences: { language: 'en' } };
    const replaced = await shop.as('ada')({ method: 'PUT', path: '/api/users/1', body });
    expect(replaced.body).toMatchObject({ id: '1', preferences: { language: 'en' } });
  });
});

it('when all is done, the books agree, and every answer is as published', async () => {
  expect(await shop.audit()).toEqual([]);
  await expectAnswered(shop.clientLog, { ...userRoutes, ...tenantRoutes });
});
