import type { ClientBase } from 'pg';
import { seedOutbox, type PastEvent } from '../_chassis/seeding.ts';
import type { Role } from '../auth/contract.ts';
import { usersContract } from './contract.ts';

const tenant = 'main';
const at = new Date('2026-01-01T00:00:00Z');
const { ProfileCreated, MembershipGranted } = usersContract.events;

// The same people as auth's seed has accounts for.
const people: readonly { id: string; name: string; email: string; role: Role }[] = [
  { id: '1', name: 'Ada', email: 'ada@example.com', role: 'customer' },
  { id: '2', name: 'Ben', email: 'ben@example.com', role: 'customer' },
  { id: '3', name: 'Staff', email: 'staff@example.com', role: 'staff' },
  { id: '4', name: 'Warehouse', email: 'warehouse@example.com', role: 'warehouse' },
  { id: '5', name: 'Admin', email: 'admin@example.com', role: 'admin' },
];

/** Puts the seeded people in, their memberships and what was said of both; safe to run again, and brings nobody back. */
export async function seed(client: ClientBase): Promise<void> {
  await client.query(`insert into tenants (tenant, name) values ($1, 'Sidecart') on conflict do nothing`, [tenant]);
  const said: PastEvent[] = [];
  for (const { id: userId, name, email, role } of people) {
    const added = await client.query(
      `insert into profiles (tenant, id, state, name, email, version, created_at)
       values ($1, $2, 'active', $3, $4, 1, $5) on conflict do nothing`,
      [tenant, userId, name, email, at],
    );
    if (added.rowCount === 0) continue; // whoever was erased since may not be told of again
    const membershipId = `seed-${userId}`;
    await client.query(
      `insert into memberships (tenant, id, user_id, roles, version, created_at) values ($1, $2, $3, $4, 1, $5)`,
      [tenant, membershipId, userId, [role], at],
    );
    await client.query('insert into whereabouts (user_id, member_of) values ($1, $2)', [userId, tenant]);
    const past = (what: string, { type, topic }: { type: string; topic: string }, data: object): PastEvent => ({
      ...{ id: `seed-person-${userId}-${what}`, service: 'users', topic, type, subject: userId, tenant, at },
      data: { userId, ...data },
    });
    said.push(
      past('created', ProfileCreated, { name, email, origin: 'registration' }),
      past('granted', MembershipGranted, { membershipId, version: 1, roles: [role] }),
    );
  }
  await seedOutbox(client, said);
}
