import { z } from 'zod';
import { sorted } from './copies.ts';
import type { Dossier } from './dossier.ts';
import type { Findings } from './findings.ts';
import { endOf } from './orders.ts';
import { countOf } from './said.ts';

/** I5: a shipped order left once, in one parcel with what was reserved for it; no other order left. */
export function checkShipment(findings: Findings, dossier: Dossier): void {
  const { id, orders, fulfillments, shipments } = dossier;
  const end = endOf(dossier);
  const state = fulfillments[0]?.state ?? 'none';
  findings.checked('I5', shipments.length + fulfillments.length);
  if (fulfillments.length > 1) findings.wrong('I5', id, `${fulfillments.length} rows in fulfillment`);
  if (orders.length === 0) {
    for (const { shipment } of shipments)
      findings.wrong('I5', id, `shipment ${shipment} of an order that does not exist`);
    for (const row of fulfillments)
      findings.wrong('I5', id, `${row.state} in fulfillment, and the order does not exist`);
    return;
  }
  const parcels = state === 'dispatched' ? 1 : 0;
  if (shipments.length !== parcels)
    findings.wrong('I5', id, `${state} in fulfillment, and ${shipments.length} shipments`);
  if (state === 'dispatched') checkContents(findings, dossier);
  if (end === undefined) return;
  const wanted = end === 'shipped' ? 1 : 0;
  if (shipments.length !== wanted) findings.wrong('I5', id, `${end}, with ${shipments.length} shipments`);
  const said = countOf(dossier.saidByFulfillment, '.shipment.dispatched');
  if (said !== wanted) findings.wrong('I5', id, `${end}, and its dispatch was said ${said} times`);
  if (!['none', 'cancelled'].includes(state) && end !== 'shipped')
    findings.wrong('I5', id, `${end}, and ${state} in fulfillment`);
}

const lines = z.array(z.object({ productId: z.string(), warehouse: z.string(), quantity: z.number() }));
const withLines = z.object({ lines });

/** What left is what was reserved, by fulfillment's row and by what it said. */
function checkContents(findings: Findings, { id, fulfillments, lines: reserved, saidByFulfillment }: Dossier): void {
  const wanted = sorted(reserved);
  const dispatched = saidByFulfillment.filter(({ name }) => name.endsWith('.shipment.dispatched'));
  const books = [
    ['fulfillment has', lines.safeParse(fulfillments[0]?.lines).data],
    ...dispatched.map(({ data }) => ['the dispatch says', withLines.safeParse(data).data?.lines] as const),
  ] as const;
  for (const [where, found] of books) {
    if (sorted(found) !== wanted) findings.wrong('I5', id, `${wanted} reserved, ${where} ${sorted(found)}`);
  }
}

/**
 * I13. A withdrawal that came too late found the row dispatched, and to see that it locked the row: so its transaction is
 * the last that touched it. Times alone prove nothing, the inbox's row is written a moment before the lock is had; a
 * withdrawal from before the dispatch that did not see it was ignored.
 */
export function checkWithdrawal(findings: Findings, { id, fulfillments, withdrawals }: Dossier): void {
  findings.checked('I13', withdrawals.length);
  const [row] = fulfillments;
  for (const { receivedAt, handledBy } of withdrawals) {
    if (row?.state !== 'dispatched' || receivedAt >= row.updatedAt || row.touchedBy.includes(handledBy)) continue;
    findings.wrong(
      'I13',
      id,
      `withdrawn at ${receivedAt.toISOString()}, and dispatched at ${row.updatedAt.toISOString()} all the same`,
    );
  }
}
