import { z } from 'zod';
import type { Books } from './books.ts';
import type { Dossier, LineRow } from './dossier.ts';
import type { Findings } from './findings.ts';
import { endOf } from './orders.ts';
import { countOf } from './said.ts';

const endings: Readonly<Record<string, readonly string[]>> = {
  shipped: ['shipped'],
  rejected: ['refused'],
  'payment-failed': ['released'],
  cancelled: ['released', 'refused'],
};

/** I10, I4 and I6 of one order: its reservation ended with it, and every unit that was taken went out or came back once. */
export function checkReservation(findings: Findings, dossier: Dossier): void {
  const { id, orders, reservations, lines } = dossier;
  const state = reservations[0]?.state ?? 'none';
  const end = endOf(dossier);
  findings.checked('I10', reservations.length);
  if (reservations.length > 1) findings.wrong('I10', id, `${reservations.length} reservations`);
  if (orders.length === 0) {
    for (const row of reservations)
      findings.wrong('I10', id, `reservation ${row.state} for an order that does not exist`);
  } else if (end !== undefined && endings[end]?.includes(state) === false) {
    findings.wrong('I10', id, `${end}, and its reservation is ${state}`);
  }
  if (reservations.some((row) => row.state === 'none')) findings.wrong('I10', id, 'a reservation that is in no state');
  checkMovements(findings, dossier, state, end === 'cancelled' ? 'I6' : 'I4');
  if (lines.length > 0) checkLines(findings, dossier);
}

const movesOf: Readonly<Record<string, readonly string[]>> = {
  reserved: ['reserve'],
  released: ['release', 'reserve'],
  shipped: ['reserve', 'ship'],
};

const shelf = ({ productId, warehouse }: Pick<LineRow, 'productId' | 'warehouse'>) => `${productId} ${warehouse}`;

function checkMovements(findings: Findings, dossier: Dossier, state: string, invariant: 'I4' | 'I6'): void {
  const { id, lines, movements } = dossier;
  findings.checked(invariant, movements.length);
  const wanted = lines.flatMap((line) =>
    (movesOf[state] ?? []).map((kind) => `${kind} ${line.quantity} of ${shelf(line)}`),
  );
  const found = movements.map((row) => `${row.kind} ${row.quantity} of ${shelf(row)}`);
  for (const move of wanted) {
    const at = found.indexOf(move);
    if (at === -1) findings.wrong(invariant, id, `reservation ${state}, and no movement: ${move}`);
    else found.splice(at, 1);
  }
  for (const move of found) findings.wrong(invariant, id, `reservation ${state}, and a movement too many: ${move}`);
}

const items = z.array(z.object({ productId: z.string(), quantity: z.number() }));

/** All of an order is reserved or none of it. */
function checkLines(findings: Findings, { id, orders: [order], lines, saidByInventory, reservations }: Dossier): void {
  const wanted = items.safeParse(order?.items).data;
  if (!wanted) return;
  for (const { productId, quantity } of wanted) {
    const taken = lines.filter((line) => line.productId === productId).reduce((sum, line) => sum + line.quantity, 0);
    if (taken !== quantity) findings.wrong('I4', id, `${quantity} of product ${productId} ordered, ${taken} reserved`);
  }
  const others = lines.filter((line) => !wanted.some(({ productId }) => productId === line.productId));
  for (const line of others)
    findings.wrong('I4', id, `reserved ${line.quantity} of ${shelf(line)}, which it did not order`);
  if (reservations.length === 0 && countOf(saidByInventory, '.reservation.confirmed') > 0)
    findings.wrong('I10', id, 'its reservation was confirmed, and is gone');
}

const count = z.coerce.number();
const stockRow = z.object({
  tenant: z.string(),
  productId: z.string(),
  warehouse: z.string(),
  available: count,
  reserved: count,
  shipped: count,
  received: count,
  adjusted: count,
});
const ledgerRow = stockRow.extend({ heldReserved: count, heldShipped: count });
type Counts = Omit<z.infer<typeof stockRow>, 'tenant' | 'productId' | 'warehouse'>;

/** I4 of every shelf: its counts add up, and are what its movements, and the reservations, make them. */
export async function checkStock(findings: Findings, { inventory }: Books): Promise<void> {
  const columns = `tenant, product_id as "productId", warehouse`;
  const stock = await inventory.rows(
    stockRow,
    `select ${columns}, available, reserved, shipped, received, adjusted from stock order by product_id, warehouse`,
  );
  const booked = await inventory.rows(
    ledgerRow,
    `with moved as (
       select tenant, product_id, warehouse,
              coalesce(sum(quantity) filter (where kind = 'receipt'), 0) as received,
              coalesce(sum(quantity) filter (where kind = 'adjustment'), 0) as adjusted,
              coalesce(sum(quantity) filter (where kind = 'reserve'), 0) as taken,
              coalesce(sum(quantity) filter (where kind = 'release'), 0) as given_back,
              coalesce(sum(quantity) filter (where kind = 'ship'), 0) as shipped
         from movements group by 1, 2, 3),
     held as (
       select l.tenant, product_id, warehouse,
              coalesce(sum(quantity) filter (where r.state = 'reserved'), 0) as reserved,
              coalesce(sum(quantity) filter (where r.state = 'shipped'), 0) as shipped
         from reservation_lines l join reservations r on r.tenant = l.tenant and r.order_id = l.order_id
        group by 1, 2, 3)
     select ${columns}, coalesce(m.received, 0) as received, coalesce(m.adjusted, 0) as adjusted,
            coalesce(m.received + m.adjusted - m.taken + m.given_back, 0) as available,
            coalesce(m.taken - m.given_back - m.shipped, 0) as reserved, coalesce(m.shipped, 0) as shipped,
            coalesce(h.reserved, 0) as "heldReserved", coalesce(h.shipped, 0) as "heldShipped"
       from moved m full join held h using (tenant, product_id, warehouse)`,
  );
  const shelves = new Map(booked.map((row) => [nameOf(row), row]));
  for (const row of stock) {
    const name = nameOf(row);
    findings.checked('I4');
    const { available, reserved, shipped, received, adjusted } = row;
    if (received + adjusted !== available + reserved + shipped)
      findings.wrong(
        'I4',
        name,
        `received ${received} and adjusted ${adjusted}, but available ${available}, reserved ${reserved}, shipped ${shipped}`,
      );
    const ledger = shelves.get(name);
    shelves.delete(name);
    for (const problem of problemsOf(row, ledger)) findings.wrong('I4', name, problem);
  }
  for (const name of shelves.keys()) findings.wrong('I4', name, 'movements or reservations, and no row of stock');
}

const nameOf = (row: { tenant: string; productId: string; warehouse: string }) =>
  `product ${row.productId} ${row.warehouse}${row.tenant === 'main' ? '' : ` (${row.tenant})`}`;

const none = { available: 0, reserved: 0, shipped: 0, received: 0, adjusted: 0, heldReserved: 0, heldShipped: 0 };

function problemsOf(row: Counts, ledger: Omit<z.infer<typeof ledgerRow>, 'tenant' | 'productId' | 'warehouse'> = none) {
  const problems: string[] = [];
  for (const name of ['available', 'reserved', 'shipped', 'received', 'adjusted'] as const) {
    if (name !== 'adjusted' && row[name] < 0) problems.push(`${name} is ${row[name]}`);
    if (row[name] !== ledger[name]) problems.push(`${name} is ${row[name]}, its movements make ${ledger[name]}`);
  }
  if (row.reserved !== ledger.heldReserved)
    problems.push(`reserved is ${row.reserved}, reservations hold ${ledger.heldReserved}`);
  if (row.shipped !== ledger.heldShipped)
    problems.push(`shipped is ${row.shipped}, reservations shipped ${ledger.heldShipped}`);
  return problems;
}
