import { createServer, type IncomingMessage } from 'node:http';
import { listenOn } from '../../../services/_chassis/listen.ts';
import { environment, tellReady } from './environment.ts';

// Answers like a sidecar behind which an echo is, at a fraction of its cost, so that P1's clients are never short of answers.
async function read(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) text += String(chunk);
  return text;
}

await listenOn(
  createServer((request, response) => {
    void read(request).then((text) => {
      const body = request.method === 'POST' ? text.replace('{', '{"kind":"echo",') : '{"id":"stand-in"}';
      response
        .writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) })
        .end(body);
    });
  }),
  environment.APP_PORT,
);
await tellReady();
