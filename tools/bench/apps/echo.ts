import express, { type RequestHandler } from 'express';
import { listenHttp } from '../../../services/_chassis/listen.ts';
import { echoContract } from './echo-contract.ts';
import { environment, tellReady } from './environment.ts';

const { request: question } = echoContract.methods.echo;

// The callee of P1 and P3: an Express app that parses what it gets and sends it back, by the path that a sidecar uses and by
// the one that a sidecar itself has, so that the same client reaches it with and without sidecars.
const echo: RequestHandler = (request, response) => {
  response.json({ kind: 'echo', text: question.parse(request.body).text });
};
const app = express();
app.disable('x-powered-by');
app.disable('etag');
app.use(express.json());
app.post('/echo', echo);
app.post('/v1.0/invoke/:app/method/echo', echo);
await listenHttp(app, environment.APP_PORT);
await tellReady();
