import express from 'express';
import { contextOf } from '../../../services/_chassis/context.ts';
import { listenHttp } from '../../../services/_chassis/listen.ts';
import { ownAsk } from './arms.ts';
import { echoContract } from './echo-contract.ts';
import { environment, tellReady } from './environment.ts';

// The caller of P3: an Express app that asks the echo, each arm by its own way, and passes the answer on.
const { request: question } = echoContract.methods.echo;
const ask = ownAsk();
const app = express();
app.disable('x-powered-by');
app.disable('etag');
app.post('/ask', express.json(), async (request, response) => {
  const { text } = question.parse(request.body);
  const context = { ...contextOf((name) => request.get(name)), deadline: Date.now() + 2_500 };
  response.json({ text: await ask(text, context) });
});
await listenHttp(app, environment.APP_PORT);
await tellReady();
