import { z } from 'zod';
import { withClient } from './mesh/postgres.ts';
import { messengersOf, type Databases } from './audit/books.ts';

const row = z.object({
  source: z.string(),
  id: z.string(),
  type: z.string(),
  subject: z.string(),
  status: z.string(),
  attempts: z.number(),
  cause: z.string().nullable(),
});

/** An event at one consumer, with what became of it. */
export type Letter = z.infer<typeof row> & { readonly service: string };

/** Which letters are meant: of one service or of all, one event or all of them. */
export interface Selection {
  readonly service?: string | undefined;
  readonly id?: string | undefined;
}

const columns = 'source, id, type, subject, status, attempts, cause';

async function eachInbox(
  databases: Databases,
  { service }: Selection,
  sql: string,
  values: readonly unknown[],
): Promise<Letter[]> {
  const meant = messengersOf(databases).filter(([one]) => service === undefined || one === service);
  const letters = meant.map(([one, url]) =>
    withClient(url, async (client) =>
      (await client.query(sql, [...values])).rows.map((found): Letter => ({ service: one, ...row.parse(found) })),
    ),
  );
  return (await Promise.all(letters)).flat();
}

/** The dead letters: events whose handling failed until their budget was spent, oldest first. */
export const failedLetters = (databases: Databases, selection: Selection): Promise<Letter[]> =>
  eachInbox(
    databases,
    selection,
    `select ${columns} from inbox where status = 'failed' and ($1::text is null or id = $1) order by received_at`,
    [selection.id ?? null],
  );

/** Gives dead letters a new budget; the catch-up of their service takes them at its next look. Gives those set back. */
export const setBack = (databases: Databases, selection: Selection): Promise<Letter[]> =>
  eachInbox(
    databases,
    selection,
    `update inbox set status = 'pending', attempts = 0
      where status = 'failed' and envelope is not null and ($1::text is null or id = $1) returning ${columns}`,
    [selection.id ?? null],
  );

/** The same letters as they are now. */
export async function lookAgain(databases: Databases, letters: readonly Letter[]): Promise<Letter[]> {
  const now = messengersOf(databases).map(async ([service]) => {
    const ids = letters.filter((letter) => letter.service === service).map(({ id }) => id);
    if (ids.length === 0) return [];
    return eachInbox(databases, { service }, `select ${columns} from inbox where id = any($1) order by received_at`, [
      ids,
    ]);
  });
  return (await Promise.all(now)).flat();
}
