import { STATUS_CODES, createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { continueTrace, traceIdOf } from '../_chassis/context.ts';
import type { Log } from '../_chassis/log.ts';
import { problemBody, type Problem } from '../_chassis/problem.ts';
import { listenOn, type Listening } from '../_chassis/listen.ts';
import { problems } from './problems.ts';

/** How long a client may take for its header fields and for the whole request, and may idle between two; milliseconds. */
export const patience = { headersTimeout: 5_000, requestTimeout: 10_000, keepAliveTimeout: 5_000 };

const mostHeaderBytes = 16_384;
const lingerMs = 1_000;

/** Listens on loopback for clients that may send anything; what is not even HTTP gets a problem as well. */
export async function listenPublic(
  app: RequestListener,
  port: number,
  log: Log,
  limits: typeof patience = patience,
): Promise<Listening> {
  const options = {
    ...limits,
    connectionsCheckingInterval: Math.min(1_000, limits.headersTimeout / 4),
    maxHeaderSize: mostHeaderBytes,
    requireHostHeader: false, // Node's own refusal has no body; the app refuses it
  };
  const current = new WeakMap<Duplex, { request: IncomingMessage; response: ServerResponse }>();
  const server = createServer(options, (request, response) => {
    current.set(request.socket, { request, response });
    response.on('close', () => {
      if (current.get(request.socket)?.response === response) current.delete(request.socket);
    });
    app(request, response);
  });
  // An unknown expectation may be ignored (RFC 9110, 10.1.1); Node would answer 417 without a body.
  server.on('checkExpectation', (request, response) => server.emit('request', request, response));
  server.on('connect', (_request, socket) => refuse(socket, problems.badRequest('This is no proxy.').problem, log));
  server.on('clientError', (error, socket) => {
    const open = current.get(socket);
    if (!socket.writable || hasCode(error, 'ECONNRESET')) {
      socket.destroy();
    } else if (open && (open.request.complete || open.response.headersSent)) {
      // What is unreadable came behind a good request: that one gets its answer, and then the connection ends.
      if (!open.response.headersSent) open.response.setHeader('connection', 'close');
    } else {
      refuse(socket, problemOfClientError(error), log);
    }
  });
  return listenOn(server, port);
}

/** The problem that Node's HTTP parser, or its patience, had with a client. */
export function problemOfClientError(error: Error): Problem {
  if (hasCode(error, 'ERR_HTTP_REQUEST_TIMEOUT')) return problems.requestTimeout().problem;
  if (hasCode(error, 'HPE_CHUNK_EXTENSIONS_OVERFLOW')) return problems.contentTooLarge('its limit').problem;
  if (!hasCode(error, 'HPE_HEADER_OVERFLOW')) return problems.badRequest('This is not valid HTTP/1.1.').problem;
  const packet = 'rawPacket' in error && Buffer.isBuffer(error.rawPacket) ? error.rawPacket : Buffer.alloc(0);
  const firstLine = packet.indexOf('\r\n');
  const tooLong = /^[A-Z]+ \S/.test(packet.toString('latin1', 0, 20)) && (firstLine < 0 || firstLine > mostHeaderBytes);
  return tooLong ? problems.uriTooLong().problem : problems.headersTooLarge().problem;
}

function refuse(socket: Duplex, problem: Problem, log: Log): void {
  const traceId = traceIdOf(continueTrace(undefined));
  const body = JSON.stringify(problemBody(problem, traceId));
  const head = [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ''}`,
    'content-type: application/problem+json',
    `content-length: ${Buffer.byteLength(body)}`,
    `x-request-id: ${traceId}`,
    'x-content-type-options: nosniff',
    'cache-control: no-store',
    'connection: close',
  ];
  socket.on('error', () => undefined); // it may be gone before it has read this
  // Closing at once would reset a connection on which the client is still sending, and lose him the answer.
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => void setTimeout(() => socket.destroy(), lingerMs).unref());
  log.info({ requestId: traceId, traceId, status: problem.status, code: problem.code }, 'request unreadable');
}

const hasCode = (error: Error, code: string) => 'code' in error && error.code === code;
