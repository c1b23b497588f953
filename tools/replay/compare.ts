import { isDeepStrictEqual } from 'node:util';
import type { Key } from '../../services/_chassis/projection.ts';
import pg from 'pg';
import type { Session } from './session.ts';
import type { Shadow } from './shadow.ts';

/** A row that is not what its events make it: missing, there without any event, or otherwise in these columns. */
export interface Difference {
  readonly key: Key;
  readonly kind: 'missing' | 'groundless' | 'other';
  readonly columns: readonly { readonly name: string; readonly has: unknown; readonly replayed: unknown }[];
}

const shownRows = 5;

/** Compares every column of every row, as of one moment, and notes the keys of those that differ. */
export async function compareAll(session: Session, shadow: Shadow, check: () => void): Promise<void> {
  const { key, live, fresh, differing } = shadow;
  const differ = await differs(session, shadow);
  const sql = `select ${key} from ${live} l full join ${fresh} f using (${key}) where ${differ}`;
  for await (const keys of session.pages(sql)) {
    check();
    await session.query(`insert into ${differing} select ${key} from jsonb_populate_recordset(null::${live}, $1)`, [
      JSON.stringify(keys),
    ]);
  }
}

/** Compares the rows of these keys again. */
export async function compareAgain(session: Session, shadow: Shadow, keys: readonly Key[]): Promise<void> {
  const { key, live, fresh, differing } = shadow;
  const these = `(select ${key} from jsonb_populate_recordset(null::${live}, $1)) k`;
  await session.query(`delete from ${differing} where (${key}) in (select ${key} from ${these})`, [
    JSON.stringify(keys),
  ]);
  await session.query(
    `insert into ${differing} select ${key} from ${these} left join ${live} l using (${key}) left join ${fresh} f using (${key})
      where ${await differs(session, shadow)}`,
    [JSON.stringify(keys)],
  );
}

/** How many rows differ, and the first of them. */
export async function differencesOf(session: Session, shadow: Shadow): Promise<{ count: number; first: Difference[] }> {
  const { key, live, fresh, differing } = shadow;
  const [all] = await session.query<{ count: number }>(`select count(*)::int as count from ${differing}`);
  if (!all || all.count === 0) return { count: 0, first: [] };
  const rows = await session.query<{ key: Key; has: Row; replayed: Row }>(
    `select to_jsonb(k) as key, to_jsonb(l) as has, to_jsonb(f) as replayed
       from ${differing} k left join ${live} l using (${key}) left join ${fresh} f using (${key})
      order by ${key} limit ${shownRows}`,
  );
  return { count: all.count, first: rows.map(difference) };
}

type Row = Readonly<Record<string, unknown>> | null;

function difference({ key, has, replayed }: { key: Key; has: Row; replayed: Row }): Difference {
  if (!has || !replayed) return { key, kind: has ? 'groundless' : 'missing', columns: [] };
  const columns = Object.keys(has)
    .filter((name) => !isDeepStrictEqual(has[name], replayed[name]))
    .map((name) => ({ name, has: has[name], replayed: replayed[name] }));
  return { key, kind: 'other', columns };
}

/** The condition on which the rows `l` and `f` differ. */
async function differs(session: Session, { live }: Shadow): Promise<string> {
  const columns = await session.query<{ name: string }>(
    'select attname as name from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped order by attnum',
    [live],
  );
  const all = (row: string) => columns.map(({ name }) => `${row}.${pg.escapeIdentifier(name)}`).join(', ');
  return `row(${all('l')}) is distinct from row(${all('f')})`;
}
