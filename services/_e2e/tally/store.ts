import type { Transaction } from '../../_chassis/database.ts';

/** Counts one more event of the order; nothing here would notice a second one of the same version. */
export async function countVersion(
  tx: Transaction,
  { tenant, orderId, version }: { tenant: string; orderId: string; version: number },
): Promise<void> {
  await tx.query(
    `insert into tallies as t (tenant, order_id, events, versions) values ($1, $2, 1, array[$3::integer])
     on conflict (tenant, order_id) do update set events = t.events + 1, versions = t.versions || excluded.versions`,
    [tenant, orderId, version],
  );
}
