import { z } from 'zod';
import type { Queryable, Transaction } from '../_chassis/database.ts';
import { eventType } from '../_chassis/contract.ts';
import { home, type Account } from './account.ts';

// Everything here is about rows at home: it needs a database or a transaction of that tenant.

const columns = `id, coalesce(email, '') as email, name, password_hash as "passwordHash", verified, status`;
const account = z.object({
  id: z.string(),
  email: z.string(),
  name: z.string(),
  passwordHash: z.string().nullable(),
  verified: z.boolean(),
  status: z.enum(['pending', 'active', 'erased']),
});

/** No other text is a person's id; so none can trouble the database. */
const isId = (text: string): boolean => /^[\w.-]{1,64}$/.test(text);

/** The account of a subject; undefined for one that never was, or is erased, and for what can be none. */
export async function findAccount(db: Queryable, id: string): Promise<Account | undefined> {
  if (!isId(id)) return undefined;
  const [row] = await db.query(`select ${columns} from accounts where tenant = $1 and id = $2 and status <> 'erased'`, [
    home,
    id,
  ]);
  return row && account.parse(row);
}

/** The account with this address. */
export async function accountByEmail(db: Queryable, email: string): Promise<Account | undefined> {
  const [row] = await db.query(`select ${columns} from accounts where tenant = $1 and email = $2`, [home, email]);
  return row && account.parse(row);
}

const told = z.object({ email_version: z.number(), status: z.string() });

/** Locks what there is of an account, erased or only announced as well; undefined when nothing is known of it. */
export async function lockAccount(tx: Transaction, id: string) {
  const [row] = await tx.query(
    `select ${columns}, email_version from accounts where tenant = $1 and id = $2 for update`,
    [home, id],
  );
  return row && { ...account.parse(row), emailVersion: told.parse(row).email_version };
}

/** Puts an account in. */
export function addAccount(tx: Transaction, given: Account & { emailVersion?: number }): void {
  tx.write(
    `insert into accounts (tenant, id, email, email_version, name, password_hash, verified, status)
     values ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [
      home,
      given.id,
      given.email === '' ? null : given.email,
      given.emailVersion ?? 0,
      given.name,
      given.passwordHash,
      given.verified,
      given.status,
    ],
  );
}

/** Says that the address is the person's, so that he may sign in. */
export function setVerified(tx: Transaction, { id }: Account): void {
  tx.write(`update accounts set verified = true, status = 'active' where tenant = $1 and id = $2`, [home, id]);
}

export function setPassword(tx: Transaction, { id }: Account, hash: string): void {
  tx.write('update accounts set password_hash = $3 where tenant = $1 and id = $2', [home, id, hash]);
}

export function setName(tx: Transaction, id: string, name: string): void {
  tx.write('update accounts set name = $3 where tenant = $1 and id = $2', [home, id, name]);
}

/** Gives an account another address, not verified; or only takes note of the version where there is none to give. */
export function setEmail(tx: Transaction, id: string, email: string | undefined, version: number): void {
  tx.write(
    `update accounts set email = coalesce($3, email), verified = verified and $3::text is null, email_version = $4
      where tenant = $1 and id = $2`,
    [home, id, email ?? null, version],
  );
}

/** Overwrites everything personal; the row stays, so that nothing that comes late revives it. */
export function eraseAccount(tx: Transaction, id: string): void {
  tx.write(
    `update accounts set email = null, name = '', password_hash = null, verified = false, status = 'erased'
      where tenant = $1 and id = $2`,
    [home, id],
  );
  tx.write('delete from account_links where tenant = $1 and account_id = $2', [home, id]);
}

/** What a link in a mail is for. */
export type Purpose = 'verify' | 'set-password';

/** Keeps a link's hash; older ones for the same purpose no longer work. */
export function addLink(
  tx: Transaction,
  { id }: { id: string },
  link: { purpose: Purpose; secretHash: string; lifeMs: number },
): void {
  tx.write('delete from account_links where tenant = $1 and account_id = $2 and purpose = $3', [
    home,
    id,
    link.purpose,
  ]);
  tx.write(
    `insert into account_links (tenant, secret_hash, account_id, purpose, expires_at)
     values ($1, $2, $3, $4, clock_timestamp() + make_interval(secs => $5::float8 / 1000))`,
    [home, link.secretHash, id, link.purpose, link.lifeMs],
  );
}

const linked = z.object({ account_id: z.string() });

/** Whose link this is, while it works. */
export async function linkedAccount(db: Queryable, purpose: Purpose, secretHash: string): Promise<Account | undefined> {
  const [row] = await db.query(
    `select account_id from account_links
      where tenant = $1 and secret_hash = $2 and purpose = $3 and expires_at > clock_timestamp()`,
    [home, secretHash, purpose],
  );
  return row && findAccount(db, linked.parse(row).account_id);
}

/** Takes a link out; false when another was first. */
export async function useLink(tx: Transaction, secretHash: string): Promise<boolean> {
  const rows = await tx.query(
    `delete from account_links where tenant = $1 and secret_hash = $2 and expires_at > clock_timestamp() returning 1`,
    [home, secretHash],
  );
  return rows.length === 1;
}

/** Takes a person out of what was said of him; the events stay, in their order. */
export function forgetSaid(tx: Transaction, id: string): void {
  for (const [name, gone] of [
    ['account.registered', { name: '', email: '' }],
    ['mail.requested', { to: '', subject: '', text: '' }],
    ['personal-data.collected', { data: {} }],
  ] as const)
    tx.write(
      `update outbox
          set envelope = jsonb_set(envelope::jsonb, '{data}', (envelope::jsonb -> 'data') || $4::jsonb)
        where tenant = $1 and subject = $2 and type = $3`,
      [home, id, eventType('auth', name), JSON.stringify(gone)],
    );
}
