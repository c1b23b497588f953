import type { ClientBase } from 'pg';
import { eventType } from '../_chassis/contract.ts';
import { seedInbox, seedOutbox, type PastEvent } from '../_chassis/seeding.ts';

// What payments saw of the seeded orders: 2 never came this far. The seconds are those of orders' seed.
const eur = (amount: number) => ({ amount, currency: 'EUR' });
const insufficient = { reason: 'insufficient funds' };
type Message = readonly [second: number, service: 'orders' | 'payments', name: string, data?: object];

const requested: Message = [4, 'orders', 'payment.requested'];
const seeded: readonly { id: string; state: string; amount: number; token: string; messages: readonly Message[] }[] = [
  { id: '1', state: 'captured', amount: 58_700, token: 'tok_ok', messages: [requested, captured(58_700)] },
  {
    id: '3',
    state: 'declined',
    amount: 4_500,
    token: 'tok_declined',
    messages: [requested, [5, 'payments', 'payment.declined', insufficient]],
  },
  {
    id: '4',
    state: 'refunded',
    amount: 3_200,
    token: 'tok_ok',
    messages: [
      requested,
      captured(3_200),
      [12, 'orders', 'payment.withdrawn'],
      [14, 'payments', 'payment.reversed', { outcome: 'refunded' }],
    ],
  },
  { id: '5', state: 'captured', amount: 7_900, token: 'tok_ok', messages: [requested, captured(7_900)] },
];

function captured(amount: number): Message {
  return [5, 'payments', 'payment.captured', { amount: eur(amount) }];
}

/** Puts in the payments of the seeded orders, and the messages that led to them; may be repeated. */
export async function seed(client: ClientBase): Promise<void> {
  for (const { id, state, amount, token, messages } of seeded) {
    const at = (second: number) => new Date(Date.UTC(2026, 0, 1, Number(id), 0, second));
    const events = messages.map(([second, service, name, data]): PastEvent => ({
      id: `seed-${id}-${service}.${name}`,
      service,
      topic: service === 'orders' ? 'payments.requests' : 'payments.events',
      type: eventType(service, name),
      subject: id,
      tenant: 'main',
      at: at(second),
      data: { orderId: id, ...data },
    }));
    await client.query(
      `insert into payments (order_id, tenant, state, amount, currency, payment_token, created_at, updated_at)
       values ($1, 'main', $2, $3, 'EUR', $4, $5, $6) on conflict do nothing`,
      [id, state, amount, token, events[0]?.at, events.at(-1)?.at],
    );
    await seedInbox(
      client,
      events.filter(({ service }) => service === 'orders'),
    );
    await seedOutbox(
      client,
      events.filter(({ service }) => service === 'payments'),
    );
  }
}
