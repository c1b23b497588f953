import { bySubject, eachTenant, inBatches } from './batches.ts';
import { currentContext, withContext, withoutContext } from './context.ts';
import type { Database, Transaction } from './database.ts';

/** What a piece of work is about. */
interface About {
  readonly tenant: string;
  readonly subject: string;
}

/** Does work in a transaction that it may share with other work of its tenant; resolves once it is committed. */
export type SharedTransaction = <Result>(about: About, work: (tx: Transaction) => Promise<Result>) => Promise<Result>;

/**
 * Transactions for pieces of work on one subject each: those of one tenant that come while one is under way share the
 * next, up to `most` in the order of their subjects, so that two that share subjects never wait for each other. When a
 * shared transaction fails, each piece is done again in one of its own, and only what fails then has failed.
 */
export function shareTransactions(database: Database, most: number): SharedTransaction {
  interface Piece extends About {
    readonly work: (tx: Transaction) => Promise<unknown>;
  }
  const alone = ({ tenant, work }: Piece) => database.of(tenant).transaction(work);

  async function together(pieces: readonly Piece[], tenant: string): Promise<PromiseSettledResult<unknown>[]> {
    if (pieces.length === 1) return Promise.allSettled(pieces.map(alone));
    const ordered = pieces.toSorted(bySubject);
    try {
      const done = await database.of(tenant).transaction(async (tx) => {
        const results = new Map<Piece, unknown>();
        for (const piece of ordered) results.set(piece, await piece.work(tx));
        return results;
      });
      return pieces.map((piece) => ({ status: 'fulfilled', value: done.get(piece) }));
    } catch {
      return Promise.allSettled(pieces.map(alone));
    }
  }
  const share = inBatches<Piece, PromiseSettledResult<unknown>>(most, (pieces) => eachTenant(pieces, together));

  return async <Result>({ tenant, subject }: About, work: (tx: Transaction) => Promise<Result>) => {
    const context = currentContext();
    const inOwnContext = (tx: Transaction) =>
      context ? withContext(context, () => work(tx)) : withoutContext(() => work(tx));
    const outcome = await share({ tenant, subject, work: inOwnContext });
    if (outcome.status === 'rejected') throw outcome.reason;
    return outcome.value as Result;
  };
}
