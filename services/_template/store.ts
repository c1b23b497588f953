import { z } from 'zod';
import type { Queryable, Transaction } from '../_chassis/database.ts';
import type { FieldNoteState } from './field-note.ts';

const fieldNoteRow = z.object({
  state: z.enum(['none', 'awaited', 'added'] as const satisfies readonly FieldNoteState[]),
  text: z.string().nullable(),
});
/** What is known about one order; `text` is null until it was added. */
export type FoundFieldNote = z.output<typeof fieldNoteRow>;

const ofOrder = 'from field_notes where tenant = $1 and order_id = $2';

/** The row of an order; undefined where the order has not been shipped. */
export async function findFieldNote(
  db: Queryable,
  tenant: string,
  orderId: string,
): Promise<FoundFieldNote | undefined> {
  const [row] = await db.query(`select state, text ${ofOrder}`, [tenant, orderId]);
  return row && fieldNoteRow.parse(row);
}

/** The state of an order's row, locked until the transaction ends; `none` where there is no row. */
export async function lockFieldNote(tx: Transaction, tenant: string, orderId: string): Promise<FieldNoteState> {
  const [row] = await tx.query(`select state, text ${ofOrder} for update`, [tenant, orderId]);
  return row ? fieldNoteRow.parse(row).state : 'none';
}

/** The same, after making sure that there is a row: one that is not there can't be locked. */
export async function openFieldNote(tx: Transaction, tenant: string, orderId: string): Promise<FieldNoteState> {
  await tx.query('insert into field_notes (tenant, order_id) values ($1, $2) on conflict do nothing', [
    tenant,
    orderId,
  ]);
  return lockFieldNote(tx, tenant, orderId);
}

/** Writes the new state of a locked row, with its text once there is one. */
export async function moveFieldNote(
  tx: Transaction,
  tenant: string,
  orderId: string,
  move: { state: FieldNoteState; text?: string },
): Promise<void> {
  await tx.query(
    `update field_notes set state = $3, text = coalesce($4, text), updated_at = clock_timestamp()
      where tenant = $1 and order_id = $2`,
    [tenant, orderId, move.state, move.text ?? null],
  );
}
