import { z } from 'zod';
import type { Database, Transaction } from '../_chassis/database.ts';
import type { PersonalData } from './contract.ts';
import { home } from './store.ts';

// All SQL of exports, and how far one is.

/** The due work that drops an export; what it holds is not to lie about. */
export const exportKind = 'end-export';

// Payments, inventory and fulfillment know orders and no person; products knows nobody.
const answering = (asked: readonly string[]) => [
  { service: 'users', tenant: home },
  { service: 'auth', tenant: home },
  ...asked.map((tenant) => ({ service: 'orders', tenant })),
];

const exportRow = z.object({
  id: z.string(),
  userId: z.string(),
  asked: z.array(z.string()),
  requestedAt: z.date(),
  overdue: z.boolean(),
});
const partRow = z.object({
  service: z.string(),
  tenant: z.string(),
  at: z.date(),
  data: z.looseObject({ of: z.number().optional() }),
});

/** Writes down that everything about a person was asked for, and of whom. */
export function addExport(
  tx: Transaction,
  { id, userId, asked, waitMs }: { id: string; userId: string; asked: readonly string[]; waitMs: number },
): void {
  tx.write(
    `insert into exports (tenant, id, user_id, asked, due_at)
     values ($1, $2, $3, $4, clock_timestamp() + make_interval(secs => $5::float8 / 1000))`,
    [home, id, userId, asked, waitMs],
  );
}

/** Adds what a service answered; nothing where the export is gone, or has it. */
export function addPart(
  tx: Transaction,
  part: { exportId: string; eventId: string; service: string; tenant: string; data: object },
): void {
  tx.write(
    `insert into export_parts (tenant, export_id, event_id, service, of_tenant, data)
     select $1, id, $3, $4, $5, $6 from exports where tenant = $1 and id = $2 for share
     on conflict do nothing`,
    [home, part.exportId, part.eventId, part.service, part.tenant, JSON.stringify(part.data)],
  );
}

/** An export as far as it has come; it can still become complete after its time. */
export async function findExport(db: Database, id: string): Promise<PersonalData | undefined> {
  const at = db.of(home);
  const [found] = await at.query(
    `select id, user_id as "userId", asked, requested_at as "requestedAt", due_at < clock_timestamp() as overdue
       from exports where tenant = $1 and id = $2`,
    [home, id],
  );
  if (!found) return undefined;
  const { userId, asked, requestedAt, overdue } = exportRow.parse(found);
  const rows = await at.query(
    `select service, of_tenant as tenant, at, data from export_parts
      where tenant = $1 and export_id = $2 order by at, event_id`,
    [home, id],
  );
  const parts = rows.map((row) => partRow.parse(row));
  const missing = answering(asked).filter(({ service, tenant }) => {
    const own = parts.filter((part) => part.service === service && part.tenant === tenant);
    return own.length < (own[0]?.data.of ?? 1);
  });
  return {
    id,
    userId,
    status: missing.length === 0 ? 'complete' : overdue ? 'incomplete' : 'collecting',
    requestedAt: requestedAt.toISOString(),
    parts: parts.map(({ at, ...part }) => ({ ...part, at: at.toISOString() })),
    missing,
  };
}

/** Drops an export with all its parts. */
export const dropExport = (tx: Transaction, id: string): void =>
  tx.write('delete from exports where tenant = $1 and id = $2', [home, id]);

/** Drops all exports about a person. */
export const dropExportsOf = (tx: Transaction, userId: string): void =>
  tx.write('delete from exports where tenant = $1 and user_id = $2', [home, userId]);
