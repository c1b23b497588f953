import type { ClientBase } from 'pg';
import { eventType } from '../_chassis/contract.ts';
import { seedInbox, seedOutbox, type PastEvent } from '../_chassis/seeding.ts';
import { moveStock, type AllocatedLine, type ReservationState, type StockEffect } from './reservation.ts';

const tenant = 'main';
const opening = new Date('2026-01-01T00:00:00Z');
const warehouses = ['north', 'south'] as const;
const productCount = 200;

/** What each warehouse received before the first order: product 3 is scarce, product 200 out of stock. */
const receivedOf = (productId: number) => (productId === productCount ? 0 : productId === 3 ? 20 : 500);

interface SeededOrder {
  readonly id: string;
  readonly state: ReservationState;
  readonly effects: readonly StockEffect[];
  readonly lines: readonly AllocatedLine[];
  /** What was heard and said, in order, by short type. */
  readonly messages: readonly string[];
}

const line = (productId: string, quantity: number, warehouse = 'north') => ({ productId, warehouse, quantity });
const asked = 'orders.reservation.requested';
const withdrawn = 'orders.reservation.withdrawn';
const confirmed = 'inventory.reservation.confirmed';
const refused = 'inventory.reservation.refused';
const dispatched = 'fulfillment.shipment.dispatched';
const shipped = { state: 'shipped', effects: ['reserve', 'ship'], messages: [asked, confirmed, dispatched] } as const;

const orders: readonly SeededOrder[] = [
  { id: '1', lines: [line('1', 2), line('2', 1)], ...shipped },
  { id: '2', lines: [], state: 'refused', effects: [], messages: [asked, refused] },
  {
    id: '3',
    lines: [line('4', 1)],
    state: 'released',
    effects: ['reserve', 'release'],
    messages: [asked, confirmed, withdrawn],
  },
  {
    id: '4',
    lines: [line('5', 1)],
    state: 'released',
    effects: ['reserve', 'release'],
    messages: [asked, confirmed, 'fulfillment.shipment.cancelled', withdrawn],
  },
  { id: '5', lines: [line('6', 1, 'south')], ...shipped },
];

const at = (order: SeededOrder, step: number) =>
  new Date(opening.getTime() + Number(order.id) * 3_600_000 + step * 1_000);

/** Puts the opening stock and the seeded orders' reservations in, with their messages; safe to run again. */
export async function seed(client: ClientBase): Promise<void> {
  await seedStock(client);
  await seedReservations(client);
  await seedOutbox(client, past('inventory'));
  await seedInbox(client, [...past('orders'), ...past('fulfillment')]);
}

/** A shelf's receipt is written only with the shelf itself, so that a second run books nothing twice. */
async function seedStock(client: ClientBase): Promise<void> {
  const shelves = Array.from({ length: productCount }, (_, index) => index + 1).flatMap((productId) =>
    warehouses.map((warehouse) => {
      const received = receivedOf(productId);
      let counts = { available: received, reserved: 0, shipped: 0 };
      for (const { lines, effects } of orders)
        for (const { quantity } of lines.filter((l) => l.productId === `${productId}` && l.warehouse === warehouse))
          for (const effect of effects) counts = moveStock(counts, effect, quantity);
      return { productId: String(productId), warehouse, received, ...counts };
    }),
  );
  await client.query(
    `with shelves as (
       select * from jsonb_to_recordset($2)
         as s ("productId" text, warehouse text, received bigint, available bigint, reserved bigint, shipped bigint)),
     fresh as (
       insert into stock (tenant, product_id, warehouse, received, available, reserved, shipped)
       select $1, "productId", warehouse, received, available, reserved, shipped from shelves
       on conflict do nothing returning *)
     insert into movements (tenant, product_id, warehouse, kind, quantity, at)
     select tenant, product_id, warehouse, 'receipt', received, $3 from fresh where received > 0
      order by product_id, warehouse`,
    [tenant, JSON.stringify(shelves), opening],
  );
}

async function seedReservations(client: ClientBase): Promise<void> {
  for (const order of orders) {
    const { id, state, effects, lines, messages } = order;
    const moves = effects.flatMap((kind, index) =>
      lines.map((l) => ({ ...l, kind, at: at(order, index === 0 ? 1 : messages.length - 1) })),
    );
    await client.query(
      `with fresh as (
         insert into reservations (tenant, order_id, state, at) values ($1, $2, $3, $4)
         on conflict do nothing returning tenant, order_id),
       held as (
         insert into reservation_lines (tenant, order_id, product_id, warehouse, quantity)
         select tenant, order_id, "productId", warehouse, quantity
           from fresh, jsonb_to_recordset($5) as l ("productId" text, warehouse text, quantity bigint))
       insert into movements (tenant, order_id, product_id, warehouse, kind, quantity, at)
       select tenant, order_id, "productId", warehouse, kind, quantity, at
         from fresh, jsonb_to_recordset($6)
           as m ("productId" text, warehouse text, kind text, quantity bigint, at timestamptz)
        order by at`,
      [tenant, id, state, at(order, messages.length - 1), JSON.stringify(lines), JSON.stringify(moves)],
    );
  }
}

/** The seeded messages of one producer, as this service said or heard them. */
const past = (service: string): PastEvent[] =>
  orders.flatMap((order) =>
    order.messages.flatMap((message, step) => {
      const [producer = '', ...name] = message.split('.');
      if (producer !== service) return [];
      const topic = producer === 'orders' ? 'inventory.requests' : `${producer}.events`;
      const type = eventType(producer, name.join('.'));
      const id = `seed-${order.id}-${message}`;
      return [{ id, service, topic, type, subject: order.id, tenant, at: at(order, step), data: said(order, message) }];
    }),
  );

function said({ id: orderId, lines }: SeededOrder, message: string): object | undefined {
  if (message === confirmed) return { orderId, lines };
  if (message === refused) return { orderId, missing: [{ productId: '3', requested: 100, available: 40 }] };
  return undefined;
}
