import type { Dossier } from './dossier.ts';
import type { Findings } from './findings.ts';

/** I12 of one order: every row about it, in every book but the bank's, which knows no tenants, is its tenant's. */
export function checkTenants(findings: Findings, dossier: Dossier): void {
  const [order] = dossier.orders;
  if (!order) return;
  const { events, answers, saidByOrders, saidByInventory, saidByPayments, saidByFulfillment } = dossier;
  const { reservations, lines, movements, payments, fulfillments, shipments, withdrawals } = dossier;
  const books = {
    'an event of it': events,
    'an answer about it': answers,
    'what orders said': saidByOrders,
    'what inventory said': saidByInventory,
    'what payments said': saidByPayments,
    'what fulfillment said': saidByFulfillment,
    'its reservation': reservations,
    'a line of its reservation': lines,
    'a movement of stock for it': movements,
    'its payment': payments,
    'its row in fulfillment': fulfillments,
    'its shipment': shipments,
    'a withdrawal at fulfillment': withdrawals,
  };
  for (const [what, rows] of Object.entries(books)) {
    findings.checked('I12', rows.length);
    const strange = rows.find(({ tenant }) => tenant !== order.tenant);
    if (strange) findings.wrong('I12', dossier.id, `it is ${order.tenant}'s, and ${what} is ${strange.tenant}'s`);
  }
}
