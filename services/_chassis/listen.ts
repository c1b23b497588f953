import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import * as grpc from '@grpc/grpc-js';
import { closeServer, watchRequests } from './ops.ts';

/** Something that listens on a loopback port, and how to close it once what is in flight is finished. */
export interface Listening {
  readonly port: number;
  close(): Promise<void>;
}

/** Listens over HTTP on loopback; port 0 takes a free one. */
export const listenHttp = (app: RequestListener, port: number): Promise<Listening> => listenOn(createServer(app), port);

/** Has an HTTP server listen on loopback; port 0 takes a free one. */
export async function listenOn(server: Server, port: number): Promise<Listening> {
  const isQuiet = watchRequests(server);
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : port,
    close: () => closeServer(server, isQuiet),
  };
}

/** Listens over gRPC on loopback; port 0 takes a free one. */
export async function listenGrpc(server: grpc.Server, port: number): Promise<Listening> {
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, grpc.ServerCredentials.createInsecure(), (error, found) => {
      if (error) reject(error);
      else resolve(found);
    });
  });
  return { port: bound, close: () => new Promise((resolve) => server.tryShutdown(() => resolve())) };
}
