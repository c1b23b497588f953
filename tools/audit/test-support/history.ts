import { createHash } from 'node:crypto';
import { eventType } from '../../../services/_chassis/contract.ts';
import type { Order } from '../../../services/orders/contract.ts';
import type { ClientLogLine } from '../client-log.ts';
import type { SmallMesh } from './small-mesh.ts';

const open = `select 1 from orders where state not in ('shipped', 'rejected', 'payment-failed', 'cancelled')`;
const asked = `select 1 from payments where state in ('charging-unsent', 'charging-sent')`;

interface Wish {
  readonly items?: readonly { productId: string; quantity: number }[];
  readonly paymentToken?: string;
  readonly sub?: string;
}

/**
 * A day in the shop: an order for each way that the protocol knows, cancellations at each moment, new prices, goods that
 * come in. Gives what the clients were told, as their log would say it.
 */
export async function playHistory(mesh: SmallMesh): Promise<ClientLogLine[]> {
  const lines: ClientLogLine[] = [];
  let clock = Date.parse('2026-02-01T08:00:00Z');
  let keys = 0;

  const note = (line: Pick<ClientLogLine, 'client' | 'method' | 'path' | 'status' | 'body'> & { key?: string }) => {
    clock += 10;
    const bodyHash = createHash('sha256').update(JSON.stringify(line.body)).digest('base64');
    const request = line.key === undefined ? {} : { requestHash: `of ${line.key}` };
    lines.push({ sentAt: clock - 5, at: clock, tenant: 'main', ...line, ...request, bodyHash });
  };

  async function place({ items = [{ productId: '10', quantity: 1 }], paymentToken = 'tok_ok', sub = '1' }: Wish) {
    const key = `key-${++keys}`;
    const client = await mesh.orders.as({ sub, roles: ['customer'] });
    for (let time = 0; time < 2; time++) {
      const answer = await client.placeOrder({ items: [...items], paymentToken }, { idempotencyKey: key });
      if (answer.kind !== 'placed') throw new Error(`placing was answered ${answer.kind}`);
      note({ client: sub, method: 'POST', path: '/api/orders', key, status: 201, body: answer.order });
      if (time === 1) return answer.order;
    }
    throw new Error('not reached');
  }

  async function cancel({ id, customerId: sub }: Order): Promise<void> {
    const key = `key-${++keys}`;
    const client = await mesh.orders.as({ sub, roles: ['customer'] });
    const answer = await client.cancelOrder({ orderId: id }, { idempotencyKey: key });
    const line = { client: sub, method: 'POST', path: `/api/orders/${id}/cancellation`, key };
    if (answer.kind === 'cancelled') note({ ...line, status: 200, body: answer.order });
    else note({ ...line, status: 409, body: { code: answer.kind } });
    await read(id, sub);
  }

  async function read(id: string, sub: string): Promise<void> {
    const answer = await (await mesh.orders.as({ sub, roles: ['customer'] })).getOrder({ orderId: id });
    const found = answer.kind === 'found';
    note({
      client: sub,
      method: 'GET',
      path: `/api/orders/${id}`,
      status: found ? 200 : 404,
      body: found ? answer.order : {},
    });
  }

  const settled = () => mesh.deliverUntilNone('orders', open);
  await mesh.deliver();
  await changeCatalog(mesh, note);
  await mesh.deliver();

  const shipped = await place({
    items: [
      { productId: '11', quantity: 2 },
      { productId: '12', quantity: 1 },
    ],
  });
  await place({ items: [{ productId: '13', quantity: 100 }], sub: '2' });
  await place({ paymentToken: 'tok_flaky' });
  await place({ paymentToken: 'tok_lost', sub: '2' });
  await place({ paymentToken: 'tok_declined' });
  await place({ items: [{ productId: '200', quantity: 1 }] }); // of which there is none
  await settled();
  await read(shipped.id, '1');
  await cancel(shipped); // too late

  const placed = await place({});
  await cancel(placed);
  await settled();

  const reserved = await place({});
  await mesh.deliver('inventory', 'orders');
  await cancel(reserved); // payments hears of both at once, and does not ask the bank
  await settled();

  const captured = await place({ sub: '2' });
  await mesh.deliver('inventory', 'orders', 'inventory');
  await mesh.deliver('payments');
  await waitForBank(mesh);
  await cancel(captured); // orders does not know yet that it was paid
  await settled();

  const paid = await place({});
  await mesh.deliver('inventory', 'orders');
  await mesh.deliver('payments');
  await waitForBank(mesh);
  await mesh.deliver('orders');
  await cancel(paid); // fulfillment hears of both at once, and stops
  await settled();

  const late = await place({});
  await mesh.deliver('inventory', 'orders');
  await mesh.deliver('payments');
  await waitForBank(mesh);
  await mesh.deliver('orders');
  await mesh.deliver('fulfillment');
  await mesh.until('fulfillment', `select 1 from fulfillments where state in ('picking', 'packed')`);
  await cancel(late); // it has left already: it ends as shipped
  await settled();

  // Withdrawals that overtake what they withdraw.
  const unreserved = await place({});
  await cancel(unreserved);
  await mesh.deliverFirst('inventory', eventType('orders', 'reservation.withdrawn'));
  await settled();
  const uncharged = await place({});
  await mesh.deliver('inventory', 'orders');
  await cancel(uncharged);
  await mesh.deliverFirst('payments', eventType('orders', 'payment.withdrawn'));
  await settled();
  const unpicked = await place({});
  await mesh.deliver('inventory', 'orders');
  await mesh.deliver('payments');
  await waitForBank(mesh);
  await mesh.deliver('orders');
  await cancel(unpicked);
  await mesh.deliverFirst('fulfillment', eventType('orders', 'shipment.withdrawn'));
  await settled();

  // A split over both warehouses: more than either has.
  await place({ items: [{ productId: '3', quantity: 30 }] });
  await settled();
  await mesh.deliver();
  return lines;
}

/** Waits until the bank has answered whatever it was asked, without telling orders. */
async function waitForBank(mesh: SmallMesh): Promise<void> {
  await mesh.until('payments', asked);
}

async function changeCatalog(
  mesh: SmallMesh,
  note: (line: { client: string; method: string; path: string; status: number; body: unknown }) => void,
): Promise<void> {
  const staff = await mesh.products.as({ sub: '3', roles: ['staff'] });
  const changed = await staff.changeProduct({
    productId: '11',
    change: { price: { amount: 1_234, currency: 'EUR' } },
  });
  const renamed = await staff.changeProduct({
    productId: '12',
    change: { name: 'A better name', category: 'kitchen' },
  });
  const moved = await staff.changeProduct({ productId: '14', change: { category: 'novelties' } });
  const created = await staff.createProduct({
    name: 'A new product',
    category: 'home',
    price: { amount: 999, currency: 'EUR' },
  });
  await staff.retireProduct({ productId: '15' });
  for (const answer of [changed, renamed, moved, created]) {
    if (answer.kind !== 'changed' && answer.kind !== 'created') throw new Error(`the catalog answered ${answer.kind}`);
    const path = `/api/products/${answer.product.id}`;
    note({ client: '3', method: 'PATCH', path, status: 200, body: answer.product });
    note({ client: '3', method: 'GET', path, status: 200, body: answer.product });
  }
  note({ client: '3', method: 'DELETE', path: '/api/products/15', status: 204, body: '' });
  note({ client: '3', method: 'GET', path: '/api/products/15', status: 404, body: { code: 'not-found' } });
  const warehouse = await mesh.inventory.as({ sub: '4', roles: ['warehouse'] });
  await warehouse.receiveStock({ productId: '10', warehouse: 'north', quantity: 25 });
  await warehouse.adjustStock({ productId: '10', warehouse: 'north', quantity: -3, reason: 'broken' });
}
