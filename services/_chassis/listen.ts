import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import * as grpc from '@grpc/grpc-js';
import { closeServer, watchRequests } from './ops.ts';

/** Something that listens on a port, and how to close it once what is in flight is finished. */
export interface Listening {
  readonly port: number;
  close(): Promise<void>;
}

/** Listens over HTTP, on loopback unless another address is given; port 0 takes a free one. */
export const listenHttp = (app: RequestListener, port: number, host?: string): Promise<Listening> =>
  listenOn(createServer(app), port, host);

/** Has an HTTP server listen, on loopback unless another address is given; port 0 takes a free one. */
export async function listenOn(server: Server, port: number, host = '127.0.0.1'): Promise<Listening> {
  const isQuiet = watchRequests(server);
  server.listen(port, host);
  await once(server, 'listening');
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : port,
    close: () => closeServer(server, isQuiet),
  };
}

// Under load grpc-js did not say that it had closed in 8 of some 60 stops, though its one client, the sidecar, was gone; why is
// not known. Who is told to stop has had its sidecar leave, so no call is under way then that anybody waits for.
const closeMs = 1_000;

/** Listens over gRPC on loopback; port 0 takes a free one. Calls that are under way when it closes have a second to end. */
export async function listenGrpc(server: grpc.Server, port: number): Promise<Listening> {
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, grpc.ServerCredentials.createInsecure(), (error, found) => {
      if (error) reject(error);
      else resolve(found);
    });
  });
  const close = () =>
    new Promise<void>((resolve) => {
      const late = setTimeout(() => {
        server.forceShutdown();
        resolve();
      }, closeMs);
      server.tryShutdown(() => {
        clearTimeout(late);
        resolve();
      });
    });
  return { port: bound, close };
}
