import { escapeIdentifier as quoted } from 'pg';
import type { Queryable } from './database.ts';

/** The setting that says whose rows a transaction may see; transactions without it see none. */
export const tenantSetting = 'sidecart.tenant';

/** In place of a tenant's name: the machinery of messages, for all tenants. No tenant has this name. */
export const allTenants = '*';

/** Owns the tables and sees every row; nobody logs in as it. Migrations and seeds become it. */
export const ownerOf = (service: string) => `${service}_owner`;
/** May become the owner, and log in while databases are prepared. */
export const migratorOf = (service: string) => `${service}_migrator`;

// What the service itself has to see of all tenants, and no more: it looks for what is to be done, or tells consumers
// what was said. Whatever it then does with a row, it does as the row's tenant.
const machinery: Readonly<Record<string, readonly string[]>> = {
  outbox: ['select'], // listEvents and readEvents: a consumer's cursor goes over the log of all tenants
  inbox: ['select'], // catch-up asks which events are finished and which wait, and counts dead letters
  due_work: ['select', 'update'], // any replica leases what is due next, whosever it is
};
const tenantless = ['migrations', 'catch_up_cursors']; // the launcher's; and a cursor goes over the log of all tenants
const everything = 'select, insert, update, delete';
const toAppend = 'select, insert';
// Of the chassis' own tables: what is said, answered or handled stays so.
const granted: Readonly<Record<string, string>> = {
  migrations: '',
  catch_up_cursors: 'select, insert, update',
  outbox: toAppend,
  inbox: 'select, insert, update',
  idempotency_keys: toAppend,
};
// The planner takes a comparison of constants for true in 1 of 200 cases, and would sort a whole log for one page of it
// (100 ms in 200,000 rows); what it can't look into it takes for true in every other.
const ofAll = `coalesce(current_setting('${tenantSetting}', true) = '${allTenants}', false)`;

/**
 * Makes a service's roles: the owner, who alone sees every tenant's rows, the migrator, and the one that the service has,
 * which owns nothing. As a superuser; may be repeated.
 */
export async function ensureRoles(db: Queryable, service: string, password: string): Promise<void> {
  const [owner, migrator, app] = [ownerOf(service), migratorOf(service), service];
  const found = await db.query<{ name: string }>('select rolname as name from pg_roles where rolname = any($1)', [
    [owner, migrator, app],
  ]);
  const known = new Set(found.map(({ name }) => name));
  const ensure = (name: string, attributes: string) =>
    db.query(
      `${known.has(name) ? 'alter' : 'create'} role ${quoted(name)} nosuperuser nocreatedb nocreaterole ${attributes}`,
    );
  await ensure(owner, 'nologin bypassrls');
  await ensure(migrator, 'nologin noinherit nobypassrls');
  await ensure(app, `login noinherit nobypassrls password '${password.replaceAll("'", "''")}'`);
  await db.query(`grant ${quoted(owner)} to ${quoted(migrator)}`);
}

/** Gives the database, its schema and whatever the service's own role once made to the owner; in it, as a superuser. */
export async function giveToOwner(db: Queryable, service: string): Promise<void> {
  const [owner, app] = [quoted(ownerOf(service)), quoted(service)];
  await db.query(`reassign owned by ${app} to ${owner}`);
  await db.query(`alter schema public owner to ${owner}`);
  await db.query('revoke create on schema public from public'); // before version 15 everybody could create tables
  await db.query(`revoke all on schema public from ${app}`);
  await db.query(`grant usage on schema public to ${app}`);
}

/**
 * Lets the service see and write only the rows of the tenant that its transaction names, in every table there is; throws
 * on a table without a tenant, unless its comment says why (`no tenant: …`). What its comment calls `append-only` can't be
 * changed, but for one column where that says so (`append-only but for envelope: …`). A table that this has not seen is
 * closed to the service. As the owner; may be repeated.
 */
export async function secureTables(db: Queryable, service: string): Promise<void> {
  const app = quoted(service);
  const tables = await db.query<{
    name: string;
    tenanted: boolean;
    secured: boolean;
    comment: string;
    policies: string[];
  }>(
    `select relname::text as name, relrowsecurity and relforcerowsecurity as secured,
            exists (select from pg_attribute where attrelid = c.oid and attname = 'tenant' and not attisdropped) as tenanted,
            coalesce(obj_description(oid, 'pg_class'), '') as comment,
            array(select polname::text from pg_policy where polrelid = c.oid) as policies
       from pg_class c where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') order by relname`,
  );
  for (const { name, tenanted, secured, comment, policies } of tables) {
    const table = quoted(name);
    if (!tenanted && !tenantless.includes(name) && !comment.startsWith('no tenant: '))
      throw new Error(
        `${service}: the table ${name} has no column tenant, and no comment that says why: 'no tenant: …'`,
      );
    await db.query(`revoke all on ${table} from ${app}`);
    const allowed = granted[name] ?? (comment.startsWith('append-only') ? toAppend : everything);
    const column = /^append-only but for (\w+): /.exec(comment)?.[1];
    if (column !== undefined) await db.query(`grant update (${quoted(column)}) on ${table} to ${app}`);
    if (allowed) await db.query(`grant ${allowed} on ${table} to ${app}`);
    if (!tenanted) continue;
    // Each of these waits until nobody uses the table, so only where it is needed.
    if (!secured) await db.query(`alter table ${table} enable row level security, force row level security`);
    const policy = async (policyName: string, text: string) => {
      if (!policies.includes(policyName)) await db.query(`create policy ${policyName} on ${table} ${text}`);
    };
    const own = `tenant = current_setting('${tenantSetting}', true)`;
    await policy('own_tenant', `using (${own}) with check (${own})`);
    for (const command of machinery[name] ?? [])
      await policy(`machinery_${command}`, `for ${command} using (${ofAll})`);
  }
  await db.query(`grant usage on all sequences in schema public to ${app}`);
}
