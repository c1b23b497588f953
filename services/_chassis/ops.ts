import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { Metrics } from './metrics.ts';

/** Something that must be there for the service to do its work; resolves to false, or throws, when it is not. */
export type Check = () => Promise<boolean>;

/** All the checks at once, each bounded to a second; the names of those that failed. */
export async function failedChecks(checks: Readonly<Record<string, Check>>): Promise<string[]> {
  const results = await Promise.all(
    Object.entries(checks).map(async ([name, check]) => {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<boolean>((resolve) => {
        timer = setTimeout(resolve, 1_000, false);
      });
      const passed = await Promise.race([check().catch(() => false), late]);
      clearTimeout(timer);
      return passed ? [] : [name];
    }),
  );
  return results.flat();
}

/** The plain HTTP port for whoever runs the service: `/healthz/live`, `/healthz/ready`, `/metrics`; on loopback by default. */
export async function startOps(options: {
  port: number;
  host?: string;
  checks: () => Readonly<Record<string, Check>>;
  metrics: Metrics;
}): Promise<Server> {
  const server = createServer((request, response) => {
    const send = (status: number, body: string, type = 'application/json') => {
      response.writeHead(status, { 'content-type': type }).end(body);
    };
    if (request.url === '/healthz/live') {
      send(200, '{"status":"live"}');
    } else if (request.url === '/healthz/ready') {
      void failedChecks(options.checks()).then((failed) => {
        send(
          failed.length === 0 ? 200 : 503,
          JSON.stringify({ status: failed.length === 0 ? 'ready' : 'not-ready', failed }),
        );
      });
    } else if (request.url === '/metrics') {
      options.metrics.registry.metrics().then(
        (text) => send(200, text, options.metrics.registry.contentType),
        () => send(500, '{"error":"internal"}'),
      );
    } else {
      send(404, '{"error":"no such path"}');
    }
  });
  server.listen(options.port, options.host ?? '127.0.0.1');
  await once(server, 'listening');
  return server;
}

/** Counts a server's requests from now on; gives whether none is in flight. */
export function watchRequests(server: Server): () => boolean {
  let inFlight = 0;
  server.on('request', (_request, response) => {
    inFlight += 1;
    response.on('close', () => (inFlight -= 1));
  });
  return () => inFlight === 0;
}

const sweepMs = 50;
const graceSweeps = 4;

/**
 * Stops accepting, lets requests in flight finish, and closes idle keep-alive connections at once. A connection on which
 * no request ever came (Go's client dials more than it uses) is not idle to Node: with `isQuiet` it is closed, too.
 */
export function closeServer(server: Server, isQuiet: () => boolean = () => false): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
    let sweeps = 0;
    const sweep = setInterval(() => {
      // A connection that becomes idle after its last answer has to go as well.
      server.closeIdleConnections();
      if (++sweeps >= graceSweeps && isQuiet()) server.closeAllConnections();
    }, sweepMs);
    server.on('close', () => clearInterval(sweep));
  });
}
