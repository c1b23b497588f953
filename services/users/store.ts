import { z } from 'zod';
import { outdate } from '../_chassis/cached-rows.ts';
import type { Entry } from '../_chassis/cache-entries.ts';
import { publicTenant } from '../_chassis/call.ts';
import { eventType } from '../_chassis/contract.ts';
import type { Database, Queryable, Transaction } from '../_chassis/database.ts';
import { publicUser, user, type PublicUser, type User } from './contract.ts';
import type { ProfileState } from './profile.ts';

/** The tenant that all profiles are in; of others a person is a member. */
export const home = publicTenant;

/** A profile in whatever state; `user` is there for those that people are shown. */
export interface Profile {
  readonly id: string;
  readonly state: Exclude<ProfileState, 'none'>;
  readonly version: number;
  readonly user: User | undefined;
}

/** What a profile says. */
export type Content = Pick<User, 'name' | 'email' | 'addresses' | 'preferences'>;

const row = z
  .object({
    id: z.string(),
    state: z.enum(['verified', 'invited', 'active', 'declined', 'erased']),
    name: z.string().nullable(),
    email: z.string().nullable(),
    addresses: user.shape.addresses,
    preferences: user.shape.preferences,
    version: z.number().int(),
    created_at: z.date(),
  })
  .transform(({ id, state, name, email, created_at, version, ...rest }): Profile => {
    const shown = (state === 'invited' || state === 'active') && name !== null && email !== null;
    const createdAt = created_at.toISOString();
    return {
      id,
      state,
      version,
      user: shown ? { id, name, email, ...rest, status: state, version, createdAt } : undefined,
    };
  });
const positioned = z.object({ position: z.coerce.number().int() });
const publicRow = z.object({ name: z.string().nullable(), version: z.number().int() });

const columns = 'id, state, name, email, addresses, preferences, version, created_at';

/** The profile as last committed. */
export async function findProfile(db: Database, id: string): Promise<Profile | undefined> {
  const [found] = await db.of(home).query(`select ${columns} from profiles where tenant = $1 and id = $2`, [home, id]);
  return found && row.parse(found);
}

/** The profile, locked until the transaction ends. */
export async function lockProfile(tx: Transaction, id: string): Promise<Profile | undefined> {
  const [found] = await tx.query(`select ${columns} from profiles where tenant = $1 and id = $2 for update`, [
    home,
    id,
  ]);
  return found && row.parse(found);
}

/** What people are called, by id; nothing of those who are no more. */
export async function namesOf(db: Database, ids: readonly string[]): Promise<Map<string, string>> {
  const rows = await db
    .of(home)
    .query(`select id, name, version from profiles where tenant = $1 and id = any($2)`, [home, ids]);
  const named = rows.map((found) => publicRow.extend({ id: z.string() }).parse(found));
  return new Map(named.flatMap(({ id, name }) => (name === null ? [] : [[id, name] as const])));
}

async function loadPublic(db: Queryable, tenant: string, id: string): Promise<Entry<PublicUser> | undefined> {
  const [found] = await db.query('select name, version from profiles where tenant = $1 and id = $2', [tenant, id]);
  if (!found) return undefined;
  const { name, version } = publicRow.parse(found);
  return { version, value: name === null ? null : { id, name } };
}

/** What everybody may read; no more than that is cached. */
export const cachedProfiles = { table: 'profiles', value: publicUser, load: loadPublic };

/** People in the order in which they came, all of them or those of these ids. */
export async function listProfiles(
  db: Database,
  page: { ids: readonly string[] | undefined; after: number; limit: number },
): Promise<{ user: User; position: number }[]> {
  const rows = await db.of(home).query(
    `select ${columns}, position from profiles p
      where p.tenant = $1 and p.state in ('invited', 'active') and position > $3
        and ($2::text[] is null or p.id = any($2))
      order by position limit $4`,
    [home, page.ids ?? null, page.after, page.limit],
  );
  return rows.flatMap((found) => {
    const { user: shown } = row.parse(found);
    return shown ? [{ user: shown, position: positioned.parse(found).position }] : [];
  });
}

/** Puts a new profile in; that it is there already is a conflict, and the whole transaction is done again. */
export function addProfile(tx: Transaction, id: string, state: 'invited', content: Content): User {
  const createdAt = new Date();
  insert(tx, { id, state, content, createdAt });
  return { id, ...content, status: state, version: 1, createdAt: createdAt.toISOString() };
}

/** Puts in a note without a profile: that its account is verified, or that there will be none. */
export const noteProfile = (tx: Transaction, id: string, state: 'verified' | 'erased'): void =>
  insert(tx, { id, state, content: undefined, createdAt: new Date() });

function insert(
  tx: Transaction,
  { id, state, content, createdAt }: { id: string; state: string; content: Content | undefined; createdAt: Date },
): void {
  tx.write(
    `insert into profiles (tenant, id, state, name, email, addresses, preferences, version, created_at)
     values ($1, $2, $3, $4, $5, $6, $7, 1, $8)`,
    [
      home,
      id,
      state,
      content?.name ?? null,
      content?.email ?? null,
      JSON.stringify(content?.addresses ?? []),
      JSON.stringify(content?.preferences ?? {}),
      createdAt,
    ],
  );
}

/** Writes a locked profile's next version, and that the cache has yet to learn of it. */
export function changeProfile(tx: Transaction, before: Profile, state: 'invited' | 'active', content: Content): number {
  const version = before.version + 1;
  tx.write(
    `update profiles set state = $3, name = $4, email = $5, addresses = $6, preferences = $7, version = $8
      where tenant = $1 and id = $2`,
    [
      home,
      before.id,
      state,
      content.name,
      content.email,
      JSON.stringify(content.addresses),
      JSON.stringify(content.preferences),
      version,
    ],
  );
  outdate(tx, home, before.id, version);
  return version;
}

/** Marks a locked profile's account as verified; nothing that it says changes. */
export const activateProfile = (tx: Transaction, id: string): void =>
  tx.write(`update profiles set state = 'active' where tenant = $1 and id = $2`, [home, id]);

const blank = `addresses = '[]', preferences = '{}', email = null`;

/** Takes everything out of a locked profile but the name, which is what everybody goes on seeing. */
export const declineProfile = (tx: Transaction, id: string): void =>
  tx.write(`update profiles set state = 'declined', ${blank} where tenant = $1 and id = $2`, [home, id]);

/** Leaves nothing of a locked profile but its id. */
export function eraseProfile(tx: Transaction, { id, version }: Profile): void {
  tx.write(`update profiles set state = 'erased', ${blank}, name = null, version = $3 where tenant = $1 and id = $2`, [
    home,
    id,
    version + 1,
  ]);
  outdate(tx, home, id, version + 1);
}

const erased = { name: 'erased', email: 'erased@example.invalid' };
const told = [eventType('users', 'profile.created'), eventType('users', 'email.changed')];

/** Takes name and e-mail address out of what was said of a person; the events stay, in their order. */
export function forgetSaid(tx: Transaction, id: string, what: { name: boolean }): void {
  tx.write(
    `update outbox
        set envelope = jsonb_set(envelope::jsonb, '{data}', (envelope::jsonb -> 'data') || $4::jsonb ||
              case when type = $2 and $5 then $6::jsonb else '{}' end)
      where subject = $1 and type = any($3)`,
    [id, told[0], told, JSON.stringify({ email: erased.email }), what.name, JSON.stringify({ name: erased.name })],
  );
}

/** Takes a person out of the answers that are recorded for repeated keys. */
export const forgetAnswers = (tx: Transaction, id: string): void =>
  tx.write(
    `update idempotency_keys
        set answer = jsonb_set(answer::jsonb, '{user}', (answer::jsonb -> 'user') || $2::jsonb)::text
      where answer::jsonb #>> '{user,id}' = $1`,
    [id, JSON.stringify({ ...erased, addresses: [], preferences: {} })],
  );
