import { Pool } from 'undici';
import { serveClosedLoop } from './closed-loop.ts';
import { environment, tellReady } from './environment.ts';
import { orderRequest } from './order.ts';

// P2's clients: 16 connections that place one order after another, each under a key of its own.
const pool = new Pool(`http://127.0.0.1:${environment.BENCH_TARGET_PORT}`, { connections: 16, pipelining: 1 });
const body = JSON.stringify(orderRequest);
let orders = 0;

await serveClosedLoop(environment.APP_PORT, 16, async () => {
  const headers = {
    'content-type': 'application/json',
    authorization: `Bearer ${environment.BENCH_TOKEN}`,
    'idempotency-key': `order-${++orders}`,
  };
  const response = await pool.request({ method: 'POST', path: '/api/orders', headers, body });
  await response.body.dump();
  if (response.statusCode !== 201) throw new Error(`status ${response.statusCode}`);
});
await tellReady();
