import { createServer, type IncomingHttpHeaders } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { Agent, request as ask } from 'undici';
import { z } from 'zod';
import type { Deliver } from './deliveries.ts';

const envelope = z.object({ id: z.string(), subject: z.string() });

/** A server for HTTP, not listening yet, that passes whole messages on to the app; events go through `deliver`. */
export function inFrontOfHttp(appPort: number, deliver: Deliver) {
  const agent = new Agent();
  // Of one connection, not of the message.
  const own = ['connection', 'transfer-encoding', 'keep-alive', 'content-length', 'expect'];
  const passed = (headers: IncomingHttpHeaders) =>
    Object.fromEntries(Object.entries(headers).filter(([name]) => !own.includes(name)));
  const server = createServer((request, response) => {
    const { method = 'GET', url: path = '/', headers } = request;
    const pass = async () => {
      const body = await buffer(request);
      const send = async () => {
        const options = { method, path, headers: passed(headers), dispatcher: agent };
        const answer = await ask(`http://127.0.0.1:${appPort}`, { ...options, ...(body.length > 0 && { body }) });
        return { ...answer, bytes: Buffer.from(await answer.body.arrayBuffer()) };
      };
      const isEvent = method === 'POST' && path.startsWith('/events/');
      const answer = isEvent ? await deliver(envelope.parse(JSON.parse(body.toString('utf8'))), send) : await send();
      response.writeHead(answer.statusCode, passed(answer.headers)).end(answer.bytes);
    };
    pass().catch(() => response.writeHead(502).end());
  });
  return {
    server,
    end: async () => {
      server.closeAllConnections();
      await agent.destroy();
    },
  };
}
