import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { Pool } from 'undici';
import { uuidv7 } from '../../services/_chassis/uuid.ts';
import { openSigner } from '../../services/_e2e/signer.ts';
import type { Mesh } from '../mesh/mesh.ts';
import { VoidRound } from './rounds.ts';

const products = 150; // the seed's first ones have stock for many hours of this
const drainMs = 120_000;
const open = `select 1 from orders where state not in ('shipped', 'rejected', 'payment-failed', 'cancelled') limit 1`;

/** Orders of one line, placed through a mesh's gateway by one customer, over connections that are kept. */
export interface OrderLoad {
  /** Places as many, so many at once; one that is not taken voids the round. */
  place(count: number, atOnce: number): Promise<void>;
  /** Waits until no order is under way. */
  settle(): Promise<void>;
  /** How many have been shipped so far. */
  shipped(): Promise<number>;
  close(): Promise<void>;
}

/** Opens a load on a mesh; it needs a mesh that is ready. */
export async function openOrderLoad(mesh: Mesh): Promise<OrderLoad> {
  const sign = await openSigner(mesh.home, mesh.gatewayUrl);
  const token = await sign({ sub: '1', roles: ['customer'] });
  const pool = new Pool(mesh.gatewayUrl, { connections: 64 });
  const database = new pg.Client({ connectionString: mesh.databaseUrl('orders') });
  await database.connect();
  let placed = 0;

  async function placeOne(): Promise<void> {
    const productId = String(1 + (placed++ % products));
    const response = await pool.request({
      method: 'POST',
      path: '/api/orders',
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        'idempotency-key': uuidv7(),
      },
      body: JSON.stringify({ items: [{ productId, quantity: 1 }], paymentToken: 'tok_ok' }),
    });
    const text = await response.body.text();
    if (response.statusCode !== 201) throw new VoidRound(`an order was answered ${response.statusCode}: ${text}`);
  }

  return {
    async place(count, atOnce) {
      let left = count;
      const client = async () => {
        while (left-- > 0) await placeOne();
      };
      await Promise.all(Array.from({ length: atOnce }, client));
    },
    async settle() {
      for (const limit = Date.now() + drainMs; (await database.query(open)).rowCount !== 0; await delay(50))
        if (Date.now() > limit) throw new VoidRound(`orders were under way after ${drainMs / 1_000} s`);
    },
    async shipped() {
      const { rows } = await database.query<{ count: number }>(
        `select count(*)::int as count from orders where state = 'shipped'`,
      );
      return rows[0]?.count ?? 0;
    },
    async close() {
      await database.end();
      await pool.close();
    },
  };
}
