import { rmSync } from 'node:fs';
import { chmod } from 'node:fs/promises';
import { createServer, request, type Server, type ServerResponse } from 'node:http';
import { relative } from 'node:path';
import { once } from 'node:events';
import { z } from 'zod';
import type { Home } from './home.ts';
import type { Mesh } from './mesh.ts';
import { UserError } from './user-error.ts';

const pid = z.number().optional();
const ports = z.object({
  app: z.number(),
  ops: z.number(),
  http: z.number(),
  grpc: z.number(),
  internal: z.number(),
  metrics: z.number(),
  https: z.number().optional(),
});
const status = z.object({
  pid: z.number(),
  since: z.string(),
  gatewayUrl: z.string(),
  pairs: z.array(
    z.object({
      name: z.string(),
      service: z.string(),
      replica: z.number(),
      ports,
      appPid: pid,
      sidecarPid: pid,
      restarts: z.number(),
      lent: z.boolean(),
    }),
  ),
  servers: z.array(z.object({ name: z.string(), port: z.number(), pid, restarts: z.number() })),
});

/** What a supervisor says about its mesh. */
export type MeshStatus = z.infer<typeof status>;

// The address of a Unix socket holds about 100 characters; seen from the home folder the path is short.
const addressOf = (home: Home): string => {
  const near = relative(process.cwd(), home.socket);
  return near.length < home.socket.length ? near : home.socket;
};

/**
 * Answers on the home's socket, which only its owner can use: status, lending a service's ports, and stop. After a stop
 * that was asked for here, `leave` is called once the asker has been told.
 */
export async function startControl(
  home: Home,
  mesh: Mesh,
  stop: (tell: (line: string) => void) => Promise<void>,
  leave: () => void,
): Promise<Server> {
  const since = new Date().toISOString();
  const answer = async (method: string, url: URL, response: ServerResponse): Promise<void> => {
    const tell = (line: string) => response.write(`${line}\n`);
    const service = url.searchParams.get('service') ?? '';
    if (method === 'GET' && url.pathname === '/status') {
      const current: MeshStatus = {
        pid: process.pid,
        since,
        gatewayUrl: mesh.gatewayUrl,
        pairs: mesh.pairs(),
        servers: mesh.servers(),
      };
      response.end(JSON.stringify(current));
    } else if (method === 'POST' && url.pathname === '/stop') {
      await stop(tell);
      response.end(leave);
    } else if (method === 'POST' && url.pathname === '/release') {
      // Lent for as long as the borrower keeps the connection: it may well be killed.
      response.on('close', () => mesh.takeBack(service));
      await mesh.release(service);
      tell('released');
    } else {
      response.writeHead(404).end();
    }
  };
  const server = createServer((incoming, response) => {
    const url = new URL(incoming.url ?? '/', 'http://mesh');
    answer(incoming.method ?? '', url, response).catch((error: unknown) => {
      response.end(`failed: ${error instanceof Error ? error.message : '?'}\n`);
    });
  });
  rmSync(home.socket, { force: true });
  server.listen(addressOf(home));
  await once(server, 'listening');
  await chmod(home.socket, 0o600);
  return server;
}

/** Asks the supervisor of a home; each line of its answer is also given to `onLine` as it comes. */
export async function askSupervisor(
  home: Home,
  method: 'GET' | 'POST',
  path: string,
  onLine: (line: string) => void = () => undefined,
): Promise<string> {
  const outgoing = request({ socketPath: addressOf(home), method, path, agent: false });
  outgoing.end();
  const answered = new Promise<AsyncIterable<Buffer>>((resolve, reject) => {
    outgoing.once('response', resolve);
    outgoing.once('error', () => reject(new UserError('the supervisor of the mesh does not answer')));
  });
  let text = '';
  let told = 0;
  for await (const chunk of await answered) {
    text += String(chunk);
    const lines = text.split('\n');
    for (const line of lines.slice(told, -1)) onLine(line);
    told = lines.length - 1;
  }
  return text;
}

/** The state of a running mesh, or undefined where none runs. */
export async function askStatus(home: Home): Promise<MeshStatus | undefined> {
  try {
    return status.parse(JSON.parse(await askSupervisor(home, 'GET', '/status')));
  } catch {
    return undefined;
  }
}
