import { randomBytes } from 'node:crypto';
import { continueTrace } from '../../../services/_chassis/context.ts';
import { ownAsk } from './arms.ts';
import { serveClosedLoop } from './closed-loop.ts';
import { environment, tellReady } from './environment.ts';

// P1's client process: nothing but calls, 16 at a time. Trace, request id and deadline are those of a request that came in.
const ask = ownAsk();
const text = randomBytes(500).toString('hex');
const traceparent = continueTrace(undefined);
const requestId = traceparent.slice(3, 35);

await serveClosedLoop(environment.APP_PORT, 16, async () => {
  const answer = await ask(text, { requestId, traceparent, deadline: Date.now() + 2_500 });
  if (answer !== text) throw new Error('the echo answered something else');
});
await tellReady();
