import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { RunApp } from '../mesh/run-file.ts';
import type { Deliveries } from './deliveries.ts';
import { inFrontOfGrpc } from './front-grpc.ts';
import { inFrontOfHttp } from './front-http.ts';

/** Stands on the port that a sidecar calls, in front of the app. */
export interface Front {
  close(): Promise<void>;
}

/** Begins to listen once the app does, as the app would; passes calls on as they are, and gives events to `deliveries`. */
export function openFront(app: RunApp, appPort: number, deliveries: Deliveries): Front {
  const closed = new AbortController();
  const inFront = app.protocol === 'grpc' ? inFrontOfGrpc : inFrontOfHttp;
  const { server, end } = inFront(appPort, (event, send) => deliveries.deliver(app.id, event, send));
  const opened = (async () => {
    while (!(await listens(appPort))) await delay(25, undefined, { signal: closed.signal });
    if (!closed.signal.aborted) server.listen(app.ports.app, '127.0.0.1');
  })().catch(() => undefined);
  return {
    async close() {
      closed.abort();
      server.close();
      await opened;
      await end();
    },
  };
}

const listens = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
