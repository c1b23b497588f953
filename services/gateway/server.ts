import { STATUS_CODES, createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createSecureServer, type ServerOptions } from 'node:https';
import type { Duplex } from 'node:stream';
import { continueTrace, traceIdOf } from '../_chassis/context.ts';
import type { Log } from '../_chassis/log.ts';
import { problemBody, type Problem } from '../_chassis/problem.ts';
import { listenOn, type Listening } from '../_chassis/listen.ts';
import { problems } from './problems.ts';
import { securityHeaders } from './security-headers.ts';
import { followKeyPair, readKeyPair, tlsOptions, type CertificateFiles } from './tls.ts';

/** How long a client may take for its header fields and for the whole request, and may idle between two; milliseconds. */
export const patience = { headersTimeout: 5_000, requestTimeout: 10_000, keepAliveTimeout: 5_000 };

const mostHeaderBytes = 16_384;
const lingerMs = 1_000;
const certificateEveryMs = 2_000;

/**
 * Listens for clients that may send anything, on loopback by default; what is not even HTTP gets a problem as well. Over TLS if
 * there is a certificate; a changed one is taken within two seconds.
 */
export async function listenPublic(
  app: RequestListener,
  port: number,
  log: Log,
  limits: typeof patience = patience,
  certificate?: CertificateFiles,
  host?: string,
): Promise<Listening> {
  const options = {
    ...limits,
    connectionsCheckingInterval: Math.min(1_000, limits.headersTimeout / 4),
    maxHeaderSize: mostHeaderBytes,
    requireHostHeader: false, // Node's own refusal has no body; the app refuses it
  };
  const current = new WeakMap<Duplex, { request: IncomingMessage; response: ServerResponse }>();
  const take: RequestListener = (request, response) => {
    current.set(request.socket, { request, response });
    const target = pathOf(request.url ?? '');
    if (target === undefined) return answer(response, problems.badRequest('This is no target of ours.').problem, log);
    request.url = target;
    app(request, response);
  };
  const server = certificate
    ? await createTlsServer(certificate, { ...options, handshakeTimeout: limits.headersTimeout }, take, log)
    : createServer(options, take);
  // An unknown expectation may be ignored (RFC 9110, 10.1.1); Node would answer 417 without a body.
  server.on('checkExpectation', (request, response) => server.emit('request', request, response));
  server.on('connect', (_request, socket) => refuse(socket, problems.badRequest('This is no proxy.').problem, log));
  server.on('clientError', (error, socket) => {
    const open = current.get(socket);
    const isAnswered = open?.response.writableFinished === true;
    if (!socket.writable || hasCode(error, 'ECONNRESET') || isOfTls(error)) {
      socket.destroy();
    } else if (isAnswered && !open?.request.complete) {
      socket.end(); // the rest of a request that was refused early: a second answer would be taken for the next one's
    } else if (open && !isAnswered && (open.request.complete || open.response.headersSent)) {
      // What is unreadable came behind a good request: that one gets its answer, and then the connection ends.
      if (!open.response.headersSent) open.response.setHeader('connection', 'close');
    } else {
      refuse(socket, problemOfClientError(error), log);
    }
  });
  return listenOn(server, port, host);
}

async function createTlsServer(files: CertificateFiles, options: ServerOptions, take: RequestListener, log: Log) {
  const pair = await readKeyPair(files);
  const server = createSecureServer({ ...options, ...tlsOptions, ...pair }, take);
  followKeyPair(server, files, pair, log, certificateEveryMs);
  return server;
}

/** A handshake that came to nothing, or a connection broken below HTTP: nothing can be said on it. */
const isOfTls = (error: Error) =>
  'code' in error && typeof error.code === 'string' && /^ERR_(SSL|TLS)_/.test(error.code);

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

/** The path of a target, also of one in absolute form (RFC 9112, 3.2.2), whose host says nothing here; undefined for no target. */
function pathOf(target: string): string | undefined {
  if (target.startsWith('/') || target === '*') return target;
  const url = /^https?:\/\/[^/?#]/i.test(target) ? URL.parse(target) : null;
  return url ? url.pathname + url.search : undefined;
}

function answer(response: ServerResponse, problem: Problem, log: Log): void {
  const { headers, body } = written(problem, log);
  response.writeHead(problem.status, headers).end(body);
}

function refuse(socket: Duplex, problem: Problem, log: Log): void {
  const { headers, body } = written(problem, log);
  const lines = Object.entries({ ...headers, connection: 'close' }).map(([name, value]) => `${name}: ${value}`);
  const head = [`HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ''}`, ...lines];
  socket.on('error', () => undefined); // it may be gone before it has read this
  // Closing at once would reset a connection on which the client is still sending, and lose him the answer.
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => void setTimeout(() => socket.destroy(), lingerMs).unref());
}

/** A problem that is answered before the app has seen anything. */
function written(problem: Problem, log: Log) {
  const traceId = traceIdOf(continueTrace(undefined));
  log.info({ requestId: traceId, traceId, status: problem.status, code: problem.code }, 'request unreadable');
  const body = JSON.stringify(problemBody(problem, traceId));
  const headers = {
    'content-type': 'application/problem+json',
    'content-length': String(Buffer.byteLength(body)),
    'x-request-id': traceId,
    ...securityHeaders,
  };
  return { headers, body };
}

const hasCode = (error: Error, code: string) => 'code' in error && error.code === code;
