import { createHash } from 'node:crypto';
import type { Queryable } from '../../_chassis/database.ts';
import { roles } from '../../auth/contract.ts';
import { usersContract } from '../../users/contract.ts';
import {
  boss,
  elsewhere,
  emailOf,
  exporters,
  exportOf,
  gone,
  leaver,
  mailedTo,
  membershipOf,
  spare,
} from './people.ts';
import { bystander, marker, members, roleOf, subjects, tenants, unheardOf } from './world.ts';

// People, in users and in auth. `quiet` has of each table a row like those that are asked about: a statement that forgets
// its tenant finds it, or changes it.

const known = subjects.filter((sub) => sub !== unheardOf);
/** Everybody of whom there is a row in a tenant. */
const inTenant = (tenant: (typeof tenants)[number]): readonly string[] =>
  tenant === 'quiet' ? [...subjects, elsewhere, leaver, spare] : members[tenant];
const people = (
  [
    ['main', [...known, leaver, bystander]],
    ['quiet', [...known, leaver, elsewhere]],
  ] as const
).flatMap(([tenant, ids]) => ids.map((id) => ({ tenant, id })));

/** Of a profile in `main` all but the name is its owner's; in `quiet` it is nobody's. */
export async function seedUsers(db: Queryable): Promise<void> {
  for (const tenant of tenants)
    await db.query('insert into tenants (tenant, name) values ($1, $2)', [tenant, marker('tenant', tenant)]);
  for (const { tenant, id } of people) {
    const secret = tenant === 'quiet' ? marker('secret', tenant) : marker('profile', tenant, id);
    await db.query(
      `insert into profiles (tenant, id, state, name, email, addresses, preferences, version)
       values ($1, $2, 'active', $3, $4, '[]', $5, 1)`,
      [
        tenant,
        id,
        tenant === 'quiet' ? secret : `Person ${id}`,
        `${secret}@example.com`,
        JSON.stringify({ note: secret }),
      ],
    );
  }
  await seedMemberships(db);
  await seedExports(db);
  await seedInvitations(db);
}

async function seedMemberships(db: Queryable): Promise<void> {
  for (const tenant of tenants)
    for (const owner of [...inTenant(tenant), ...(tenant === 'main' ? [spare] : [])]) {
      await db.query('insert into memberships (tenant, id, user_id, roles, version) values ($1, $2, $3, $4, 1)', [
        tenant,
        membershipOf(tenant, owner),
        owner,
        tenant === 'quiet' || owner === boss ? ['admin'] : ['customer'],
      ]);
      if (tenant !== 'quiet')
        await db.query('insert into whereabouts (user_id, member_of) values ($1, $2)', [owner, tenant]);
    }
  await db.query(
    `insert into memberships (tenant, id, user_id, roles, version, revoked_at) values ('other', $1, $2, '{admin}', 2, now())`,
    [membershipOf('other', gone), gone],
  );
  await db.query(`insert into whereabouts (user_id, member_of) values ('somebody', 'quiet'), ($1, 'other')`, [gone]);
}

async function seedExports(db: Queryable): Promise<void> {
  const all = [
    ...exporters.map((owner) => ['main', exportOf(owner), owner, marker('profile', 'main', owner)] as const),
    ...exporters.map((owner) => ['quiet', exportOf(owner), owner, marker('secret', 'quiet')] as const),
    ['main', exportOf(bystander), bystander, marker('profile', 'main', bystander)] as const,
    ['quiet', 'quiet-export', exporters[0], marker('secret', 'quiet')] as const,
    ['quiet', exportOf(leaver), leaver, marker('secret', 'quiet')] as const,
  ];
  for (const [tenant, id, owner, note] of all) {
    await db.query(
      `insert into exports (tenant, id, user_id, asked, due_at) values ($1, $2, $3, '{main}', now() + interval '1 day')`,
      [tenant, id, owner],
    );
    await db.query(
      `insert into export_parts (tenant, export_id, event_id, service, of_tenant, data) values ($1, $2, $2, 'orders', 'main', $3)`,
      [tenant, id, JSON.stringify({ note })],
    );
  }
}

const hashOf = (token: string) => createHash('sha256').update(token).digest('base64');

async function seedInvitations(db: Queryable): Promise<void> {
  for (const [tenant, id, to, days] of [
    ['main', 'main.to-1', '1', 1],
    ['main', 'main.late', '1', -1],
    ['main', `main.to-${unheardOf}`, unheardOf, 1],
    ['other', 'other.to-2', 'nobody', 1],
    ['main', `main.to-${bystander}`, bystander, 1],
    ['quiet', 'main.to-1', '1', 1],
    ['quiet', 'main.stray', '1', 1],
  ] as const)
    await db.query(
      `insert into invitations (tenant, id, token_hash, email, roles, expires_at)
       values ($1, $2, $3, $4, '{customer}', now() + make_interval(days => $5))`,
      [tenant, id, hashOf(mailedTo(to)), marker('secret', tenant), days],
    );
  await db.query(
    `insert into outbox (id, tenant, topic, type, subject, envelope) values ('said', 'quiet', 'notifications.requests', $1, 'main.to-1', '{}')`,
    [usersContract.events.MailRequested.type],
  );
}

/** The bystander has every role in every tenant; everybody else has only the one that is the tenant's. */
export async function seedAuth(db: Queryable): Promise<void> {
  for (const { tenant, id } of people)
    await db.query(
      `insert into accounts (tenant, id, email, name, verified, status) values ($1, $2, $3, $3, true, 'active')`,
      [tenant, id, emailOf(tenant, id)],
    );
  const grant = (tenant: string, id: string, role: string) =>
    db.query(`insert into role_grants (tenant, account_id, role, granted_by) values ($1, $2, $3, 'seed')`, [
      tenant,
      id,
      role,
    ]);
  for (const tenant of tenants) {
    for (const role of roles) await grant(tenant, bystander, role);
    for (const id of inTenant(tenant)) if (id !== bystander) await grant(tenant, id, roleOf[tenant]);
    for (const id of subjects)
      await db.query(
        'insert into memberships (tenant, id, account_id, version, active) values ($1, $2, $3, 1, $4)',
        // Whoever is not in a tenant has been in it.
        [tenant, `m-${id}`, id, inTenant(tenant).includes(id)],
      );
  }
}
