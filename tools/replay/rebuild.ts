import type pg from 'pg';
import { queryableOver } from '../../services/_chassis/database.ts';
import { readAbout } from '../../services/_chassis/outbox.ts';
import type { Key, Projection, Sources } from '../../services/_chassis/projection.ts';
import { UserError } from '../mesh/user-error.ts';
import { compareAgain, compareAll, differencesOf, type Difference } from './compare.ts';
import { connect, openSession, TooLong, type Patience } from './session.ts';
import { dropShadow, makeShadow, shadowOf, swap } from './shadow.ts';

/** A read model of a service. */
export interface Model {
  readonly service: string;
  readonly projection: Projection;
}

export interface RebuildOptions {
  /** Connection string of a database, as a superuser. */
  readonly databaseUrl: (database: string) => string;
  /** Whether a table that differs from the live one takes its place, too. */
  readonly swap?: boolean | undefined;
  readonly patience?: Patience | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((text: string) => void) | undefined;
}

/** What became of a read model. */
export interface Rebuilt {
  readonly service: string;
  readonly table: string;
  readonly events: number;
  readonly rows: number;
  readonly differing: number;
  /** The first of them. */
  readonly differences: readonly Difference[];
  readonly swapped: boolean;
  readonly seconds: number;
  /** For how long nobody could use the table, in milliseconds. */
  readonly lockedMs: number;
}

// Services wait 3 s for a lock: in the queue and held, it is less than half of that.
const shortPatience: Patience = { lockMs: 300, holdMs: 1_000, limitMs: 60_000 };
const roundSize = 1_000;
const few = 50;

/**
 * Makes a read model anew from its events while its service goes on writing, compares the two, and puts the new one in the
 * old one's place, in a moment in which nobody can use it. Until then nothing that anybody reads is changed.
 */
export async function rebuild({ service, projection }: Model, options: RebuildOptions): Promise<Rebuilt> {
  const { databaseUrl, onProgress: tell = () => undefined, signal } = options;
  const { table } = projection;
  const shadow = shadowOf(projection);
  const started = performance.now();
  const check = () => {
    if (signal?.aborted === true) throw new UserError('stopped; the read model is as it was');
  };
  const session = await openSession(databaseUrl(service), table, options.patience ?? shortPatience);
  const logs = openLogs(databaseUrl);
  const sources: Sources = { db: session, eventsAbout: logs.eventsAbout };
  let compared = false;

  /** Makes the rows anew whose change was noted; gives how many. */
  async function round(): Promise<number> {
    const { key, live, fresh, changes } = shadow;
    const keys = await session.query<Key>(
      `with taken as (delete from ${changes} where ctid = any (array(select ctid from ${changes} limit ${roundSize})) returning *)
       select distinct * from taken`,
    );
    if (keys.length === 0) return 0;
    await session.query(
      `delete from ${fresh} where (${key}) in (select ${key} from jsonb_populate_recordset(null::${live}, $1))`,
      [JSON.stringify(keys)],
    );
    await projection.fill(sources, keys, fresh);
    if (compared) await compareAgain(session, shadow, keys);
    return keys.length;
  }

  async function catchUp(): Promise<void> {
    tell('catching up');
    while ((await session.transaction(round)) > few) check();
  }

  async function fill(): Promise<number> {
    const [live] = await session.query<{ count: number }>(`select count(*)::int as count from ${shadow.live}`);
    let events = 0;
    let rows = 0;
    for await (const keys of session.pages(projection.keys)) {
      check();
      events += await session.transaction(() => projection.fill(sources, keys, shadow.fresh));
      rows += keys.length;
      tell(`${rows} of ${live?.count ?? 0} rows`);
    }
    await session.query(`vacuum analyze ${shadow.fresh}`);
    return events;
  }

  /** The moment: what is still lacking, the result of the comparison, and the swap. */
  async function finish() {
    tell('waiting for a moment alone');
    await session.query(`lock table ${shadow.live} in access exclusive mode`);
    const lockedAt = performance.now();
    const limitMs = options.patience?.holdMs ?? shortPatience.holdMs;
    const bound = () => {
      check();
      if (performance.now() - lockedAt > limitMs) throw new TooLong();
    };
    while ((await round()) > 0) bound();
    const { count: differing, first: differences } = await differencesOf(session, shadow);
    const swapped = differing === 0 || options.swap === true;
    if (swapped) await swap(session, shadow);
    bound();
    return { lockedAt, differing, differences, swapped };
  }

  try {
    await dropShadow(session, shadow); // of one that was killed
    await makeShadow(session, shadow, service);
    const events = await fill();
    await catchUp();
    tell('comparing');
    await compareAll(session, shadow, check);
    compared = true;
    const { lockedAt, ...outcome } = await session.briefly(finish, catchUp);
    const lockedMs = Math.ceil(performance.now() - lockedAt);
    if (!outcome.swapped) await dropShadow(session, shadow);
    const [live] = await session.query<{ count: number }>(`select count(*)::int as count from ${shadow.live}`);
    const seconds = (performance.now() - started) / 1_000;
    return { service, table, events, rows: live?.count ?? 0, ...outcome, seconds, lockedMs };
  } catch (error) {
    // What can't be dropped now is dropped by the next one.
    await dropShadow(session, shadow).catch(() => undefined);
    throw error;
  } finally {
    await logs.close();
    await session.close();
  }
}

/** The outboxes of others, each opened when it is first asked for. */
function openLogs(databaseUrl: (database: string) => string) {
  const opened = new Map<string, Promise<pg.Client>>();
  const open = (producer: string) => {
    const client = opened.get(producer) ?? connect(databaseUrl(producer));
    opened.set(producer, client);
    return client;
  };
  const eventsAbout: Sources['eventsAbout'] = async (producer, topic, subjects) =>
    readAbout(queryableOver(await open(producer)), topic, subjects);
  const close = async () => {
    for (const client of opened.values())
      await client.then(
        (one) => one.end(),
        () => undefined,
      );
  };
  return { eventsAbout, close };
}
