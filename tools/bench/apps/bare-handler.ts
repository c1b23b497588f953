import express from 'express';
import { listenHttp } from '../../../services/_chassis/listen.ts';
import { renderOrder } from '../../../services/gateway/orders.ts';
import { newOrder } from '../../../services/orders/contract.ts';
import { environment, tellReady } from './environment.ts';
import { placedOrder } from './order.ts';

// What P2 compares with: Express as one finds it in a tutorial, that parses, validates and answers the same bytes.
const app = express();
app.post('/api/orders', express.json(), (request, response) => {
  const order = newOrder.safeParse(request.body);
  if (order.success) response.status(201).json(renderOrder(placedOrder));
  else response.status(400).json({ error: 'not an order' });
});
await listenHttp(app, environment.APP_PORT);
await tellReady();
