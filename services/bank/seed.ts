import type { ClientBase } from 'pg';

// What the bank knows of the seeded orders: 2 never came this far.
const seeded = `
  insert into charges (key, state, amount, currency, reason, created_at, updated_at)
  values
    ('1', 'captured', 58700, 'EUR', null, '2026-01-01T01:00:05Z', '2026-01-01T01:00:05Z'),
    ('3', 'declined', 4500, 'EUR', 'insufficient funds', '2026-01-01T03:00:05Z', '2026-01-01T03:00:05Z'),
    ('4', 'refunded', 3200, 'EUR', null, '2026-01-01T04:00:05Z', '2026-01-01T04:00:14Z'),
    ('5', 'captured', 7900, 'EUR', null, '2026-01-01T05:00:05Z', '2026-01-01T05:00:05Z')
  on conflict do nothing;
  insert into entries (key, kind, amount, currency, entered_at)
  values
    ('1', 'charge', 58700, 'EUR', '2026-01-01T01:00:05Z'),
    ('4', 'charge', 3200, 'EUR', '2026-01-01T04:00:05Z'),
    ('4', 'refund', -3200, 'EUR', '2026-01-01T04:00:14Z'),
    ('5', 'charge', 7900, 'EUR', '2026-01-01T05:00:05Z')
  on conflict do nothing`;

/** Puts the charges of the seeded orders into the books; may be repeated. */
export async function seed(client: ClientBase): Promise<void> {
  await client.query(seeded);
}
