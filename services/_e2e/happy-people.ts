import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { uuidv7 } from '../_chassis/uuid.ts';
import { personalData, user } from '../users/contract.ts';
import type { Storefront } from './shop.ts';

/** What the shop does for people while nothing in it dies, however it was started; `shop` is asked once it is open. */
export function describeHappyPeople(shop: () => Storefront): void {
  describe('a person', () => {
    it('when somebody signs up without a token, he can be found by name alone, whether the address is known or not', async () => {
      for (const email of ['john@example.com', 'ada@example.com']) {
        const body = { name: 'John', email };
        const made = await shop().as()({ method: 'POST', path: '/api/users', body });
        expect(made.status).toBe(201);
        const { id } = user.parse(made.body);
        const path = made.headers.get('location') ?? '';
        expect(path).toBe(`/api/users/${id}`);
        const look = async () => (await shop().as()({ path })).headers.get('x-cache');
        await expect.poll(look, { timeout: 10_000 }).toBe('hit');
        expect((await shop().as()({ path })).body).toEqual({ id, name: 'John' });
      }
    });

    it('when the owner or staff look, they see everything; a change is seen at once by everybody', async () => {
      const own = await shop().as('ada')({ path: '/api/users/1' });
      expect(own.body).toMatchObject({ id: '1', email: 'ada@example.com' });
      const changed = await shop().as('staff')({ method: 'PATCH', path: '/api/users/2', body: { name: 'Benjamin' } });
      expect(changed.status).toBe(200);
      expect((await shop().as()({ path: '/api/users/2' })).body).toEqual({ id: '2', name: 'Benjamin' });
      expect((await shop().as('ada')({ method: 'PATCH', path: '/api/users/2', body: { name: 'x' } })).status).toBe(403);
    });

    it('when he asks for all that is known of him, orders answer with his', async () => {
      const asked = await shop().as('ben')({ method: 'POST', path: '/api/users/2/exports' });
      expect(asked.status).toBe(202);
      const path = asked.headers.get('location') ?? '';
      const answered = async () => {
        const { parts } = personalData.parse((await shop().as('ben')({ path })).body);
        return parts.map(({ service }) => service);
      };
      await expect.poll(answered, { timeout: 20_000 }).toEqual(expect.arrayContaining(['users', 'orders']));
      expect((await shop().as('ada')({ path })).status).toBe(404);
    });

    it('when he is erased, his name is gone, and his orders are told', async () => {
      const made = await shop().as()({
        method: 'POST',
        path: '/api/users',
        body: { name: 'Gone', email: `${uuidv7()}@example.com` },
      });
      const { id } = user.parse(made.body);
      const own = await shop().customer(id);
      expect((await own({ method: 'DELETE', path: `/api/users/${id}` })).status).toBe(204);
      expect((await shop().as()({ path: `/api/users/${id}` })).status).toBe(404);
      const place = async () =>
        (
          await own({
            path: '/api/orders',
            key: uuidv7(),
            body: { items: [{ productId: '1', quantity: 1 }], paymentToken: 'tok_ok' },
          })
        ).status;
      await expect.poll(place, { timeout: 20_000 }).toBe(401);
    });
  });

  describe('a tenant', () => {
    it('when somebody makes one, it is his alone', async () => {
      const id = `t-${uuidv7().slice(-12)}`;
      const made = await shop().as('ada')({ method: 'POST', path: '/api/tenants', body: { id, name: 'Ada & Co' } });
      expect(made.status).toBe(201);
      const mine = await shop().as('ada')({ path: '/api/tenants' });
      const ids = z.object({ items: z.array(z.object({ id: z.string() })) }).parse(mine.body);
      expect(ids.items.map((tenant) => tenant.id)).toEqual(expect.arrayContaining(['main', id]));
      expect((await shop().as('ben')({ path: `/api/tenants/${id}/members` })).status).toBe(404);
      expect((await shop().as('ben')({ path: '/api/tenants/main/members' })).status).toBe(200);
    });
  });
}
