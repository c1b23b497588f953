import http2, { type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import { buffer } from 'node:stream/consumers';
import { z } from 'zod';
import { appCallback, loadService } from '../../services/_chassis/proto.ts';
import type { Deliver, Event } from './deliveries.ts';

const callback = loadService(appCallback.file, appCallback.service);
const topicEvent = z.object({
  id: z.string(),
  extensions: z.object({ fields: z.object({ subject: z.object({ stringValue: z.string() }) }) }),
});
/** Before the message: whether it is compressed, and its length. */
const prefixBytes = 5;

/** A server for gRPC, not listening yet, that passes unary calls on to the app; events go through `deliver`. */
export function inFrontOfGrpc(appPort: number, deliver: Deliver) {
  const rpc = callback['onTopicEvent'];
  if (!rpc) throw new Error('the app callback has no onTopicEvent');
  const read = (message: Buffer): Event => {
    const event = topicEvent.parse(rpc.requestDeserialize(message.subarray(prefixBytes)));
    return { id: event.id, subject: event.extensions.fields.subject.stringValue };
  };
  let app: http2.ClientHttp2Session | undefined;
  const session = () => {
    if (app && !app.closed && !app.destroyed) return app;
    app = http2.connect(`http://127.0.0.1:${appPort}`);
    return app.on('error', () => undefined);
  };

  const server = http2.createServer();
  server.on('stream', (stream, headers) => {
    stream.on('error', () => undefined);
    const pass = async () => {
      const body = await buffer(stream);
      const send = () => call(session(), headers, body);
      reply(stream, headers[':path'] === rpc.path ? await deliver(read(body), send) : await send());
    };
    pass().catch(() => stream.close(http2.constants.NGHTTP2_REFUSED_STREAM));
  });
  const clients = new Set<http2.ServerHttp2Session>();
  server.on('session', (client) => {
    clients.add(client);
    client.once('close', () => clients.delete(client));
  });
  return {
    server,
    end: async () => {
      for (const client of clients) client.destroy();
      app?.destroy();
    },
  };
}

interface Answer {
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly trailers: IncomingHttpHeaders | undefined;
}

/** One call to the app: its headers, its message, and its trailers unless all was said in the headers. */
async function call(app: http2.ClientHttp2Session, headers: IncomingHttpHeaders, body: Buffer): Promise<Answer> {
  const stream = app.request(headers);
  const answer: { headers?: IncomingHttpHeaders; trailers?: IncomingHttpHeaders } = {};
  stream.on('response', (said) => (answer.headers = said));
  stream.on('trailers', (said: IncomingHttpHeaders) => (answer.trailers = said));
  stream.end(body);
  const bytes = await buffer(stream);
  if (!answer.headers) throw new Error('the app did not answer');
  return { headers: answer.headers, trailers: answer.trailers, body: bytes };
}

function reply(stream: ServerHttp2Stream, { headers, body, trailers }: Answer): void {
  if (stream.destroyed) return;
  if (!trailers) {
    stream.respond(headers, { endStream: true });
    return;
  }
  stream.respond(headers, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers(trailers));
  stream.end(body);
}
