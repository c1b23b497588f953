import pg from 'pg';
import type { Projection } from '../../services/_chassis/projection.ts';
import { secureTables } from '../../services/_chassis/tenancy.ts';
import { UserError } from '../mesh/user-error.ts';
import type { Session } from './session.ts';

const quoted = pg.escapeIdentifier;

/** What a rebuild makes beside a table, by name and ready for SQL; whoever is killed leaves it, the next one drops it. */
export interface Shadow {
  readonly live: string;
  readonly key: string;
  /** The table that is filled from events. */
  readonly fresh: string;
  /** The keys of the live table's rows that were written since, noted by a trigger. */
  readonly changes: string;
  /** The keys of the rows that are not the same in both. */
  readonly differing: string;
  /** The trigger and its function. */
  readonly note: string;
}

export const shadowOf = ({ table, key }: Projection): Shadow => ({
  live: quoted(table),
  key: key.map(quoted).join(', '),
  fresh: quoted(`${table}_rebuilt`),
  changes: quoted(`${table}_rebuilt_changes`),
  differing: quoted(`${table}_rebuilt_differing`),
  note: quoted(`${table}_rebuilt_note`),
});

/** Makes an empty table like the live one, and from then on notes every change of the live one. */
export async function makeShadow(session: Session, shadow: Shadow, service: string): Promise<void> {
  const { live, key, fresh, changes, differing, note } = shadow;
  await requirePlain(session, shadow);
  await session.briefly(async () => {
    // Nobody needs the notes after a crash: the rebuild has crashed with the server.
    await session.query(`
      create table ${fresh} (like ${live} including all);
      create unlogged table ${changes} as select ${key} from ${live} with no data;
      create unlogged table ${differing} as select ${key} from ${live} with no data;
      alter table ${differing} add primary key (${key});
      create function ${note}() returns trigger language plpgsql as $$
        begin
          insert into ${changes} select distinct ${key}
            from (values (${of('old', key)}), (${of('new', key)})) as k (${key}) where (${key}) is not null;
          return null;
        end $$;
      create trigger ${note} after insert or update or delete on ${live} for each row execute function ${note}()`);
    // The service notes its own tenants' keys, and finds the fresh table secured like the live one.
    await secureTables(session, service);
    await requireSameSecurity(session, shadow);
  });
}

/** Drops whatever a rebuild of this table has left; the live table and its rows stay as they are. */
export async function dropShadow(session: Session, shadow: Shadow): Promise<void> {
  const { live, fresh, changes, differing, note } = shadow;
  await session.briefly(async () => {
    const [left] = await session.query(`select 1 from pg_proc where proname = $1`, [unquoted(note)]);
    // Only where there is one: dropping a trigger locks its table, also when there is none.
    if (left) await session.query(`drop trigger if exists ${note} on ${live}; drop function ${note}()`);
    await session.query(`drop table if exists ${fresh}, ${changes}, ${differing}`);
  });
}

/** Puts the fresh table in the live one's place, with the names of its indexes and constraints; drops the rest. */
export async function swap(session: Session, shadow: Shadow): Promise<void> {
  const { live, fresh, changes, differing, note } = shadow;
  const indexes = await indexNames(session, shadow);
  await session.query(`
    drop table ${live}, ${changes}, ${differing};
    drop function ${note}();
    alter table ${fresh} rename to ${live};
    ${indexes.map(([has, wanted]) => `alter index ${quoted(has)} rename to ${quoted(wanted)};`).join('\n')}`);
}

/** The fresh table's indexes, each with the name of its like; constraints that have an index are renamed with it. */
async function indexNames(session: Session, { live, fresh }: Shadow): Promise<[has: string, wanted: string][]> {
  const indexesOf = async (table: string) =>
    session.query<{ name: string; kind: string }>(
      `select c.relname as name,
              concat_ws(' ', i.indisprimary, i.indisunique, substring(pg_get_indexdef(c.oid) from ' USING .*')) as kind
         from pg_index i join pg_class c on c.oid = i.indexrelid
        where i.indrelid = $1::regclass order by 2, c.oid`,
      [table],
    );
  const [wanted, has] = [await indexesOf(live), await indexesOf(fresh)];
  if (JSON.stringify(wanted.map(({ kind }) => kind)) !== JSON.stringify(has.map(({ kind }) => kind)))
    throw new Error(`the indexes of ${fresh} are not those of ${live}`);
  return has.map(({ name }, index) => [name, wanted[index]?.name ?? name]);
}

/** Refuses a table that has what `create table like` would not give its successor. */
async function requirePlain(session: Session, { live, note }: Shadow): Promise<void> {
  const found = await session.query<{ what: string }>(
    `select 'foreign keys' as what from pg_constraint where contype = 'f' and $1::regclass in (conrelid, confrelid)
     union select 'triggers' from pg_trigger where tgrelid = $1::regclass and not tgisinternal and tgname <> $2`,
    [live, unquoted(note)],
  );
  if (found.length > 0)
    throw new UserError(`${live} has ${found.map(({ what }) => what).join(', ')}, which its successor would not have`);
}

/** Refuses a table that lets others in, or the same ones to other rows, than what its successor was given. */
async function requireSameSecurity(session: Session, { live, fresh }: Shadow): Promise<void> {
  const of = (table: string) =>
    session.query(
      `select relowner, relrowsecurity, relforcerowsecurity, array(select unnest(relacl)::text order by 1) as grants,
              array(select concat_ws(' ', polname, polcmd, polpermissive, polroles, pg_get_expr(polqual, polrelid),
                                     pg_get_expr(polwithcheck, polrelid))
                      from pg_policy where polrelid = c.oid order by 1) as policies
         from pg_class c where oid = $1::regclass`,
      [table],
    );
  if (JSON.stringify(await of(live)) !== JSON.stringify(await of(fresh)))
    throw new UserError(
      `${live} has other grants or policies than its successor would have; \`make up\` sets them right`,
    );
}

const of = (row: string, key: string) =>
  key
    .split(', ')
    .map((column) => `${row}.${column}`)
    .join(', ');
const unquoted = (name: string) => name.slice(1, -1).replaceAll('""', '"');
