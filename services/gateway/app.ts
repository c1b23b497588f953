import express, { type ErrorRequestHandler, type Express } from 'express';
import type { Connect } from '../_chassis/client.ts';
import type { Authenticate } from '../_chassis/identity.ts';
import type { Log } from '../_chassis/log.ts';
import type { Metrics } from '../_chassis/metrics.ts';
import { begin, refuseUnreadable } from './arrival.ts';
import { routes, type Handlers, type Route, type RouteName } from './contract.ts';
import type { StreamSettings } from './event-stream.ts';
import { followHandlers } from './follow.ts';
import { healthHandlers } from './health.ts';
import { inventoryHandlers } from './inventory.ts';
import { apiHandlers } from './openapi.ts';
import { orderHandlers } from './orders.ts';
import { problemOf, problems } from './problems.ts';
import { productHandlers } from './products.ts';
import { sendProblem, serve } from './serve.ts';

/** What the gateway is built from; it has no state of its own. */
export interface GatewayDeps {
  readonly log: Log;
  readonly metrics: Metrics;
  readonly connect: Connect;
  readonly authenticate: Authenticate;
  readonly isHealthy: () => Promise<boolean>;
  /** True once the process has been told to stop: connections are then closed with their next answer. */
  readonly stopping: () => boolean;
  /** Aborted when the process is told to stop: every event stream then ends. */
  readonly ending: AbortSignal;
}

export interface Settings {
  readonly deadlineMs: number;
  readonly streams?: StreamSettings;
}

/** The public REST API as an Express app: the table of routes, 405 and 404 for everything else, and one way to fail. */
export function buildApp(deps: GatewayDeps, settings: Settings): Express {
  const handlers: Handlers = {
    ...apiHandlers(),
    ...healthHandlers(deps),
    ...productHandlers(deps),
    ...inventoryHandlers(deps),
    ...orderHandlers(deps),
    ...followHandlers(deps, settings),
  };
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.enable('case sensitive routing');
  app.enable('strict routing');

  app.use(begin(deps));
  app.use(refuseUnreadable);
  for (const name of Object.keys(routes) as RouteName[]) {
    const route: Route = routes[name];
    const verb = route.method.toLowerCase() as Lowercase<Route['method']>;
    app[verb](pattern(route.path), serve(route, handlers[name], { ...deps, ...settings }));
  }
  for (const [path, allow] of allowed()) {
    app.all(pattern(path), () => {
      throw problems.methodNotAllowed(allow);
    });
  }
  app.use(() => {
    throw problems.notFound('path');
  });
  app.use(fail(deps));
  return app;
}

/** `/api/orders/{orderId}` as Express writes it. */
const pattern = (path: string) => path.replace(/\{(\w+)\}/g, ':$1');

/** The value of `Allow` for each path. */
export function allowed(): Map<string, string> {
  const methods = new Map<string, string[]>();
  for (const { method, path } of Object.values(routes)) {
    methods.set(path, [...(methods.get(path) ?? []), ...(method === 'GET' ? ['GET', 'HEAD'] : [method])]);
  }
  return new Map([...methods].map(([path, list]) => [path, list.join(', ')]));
}

/** The one place where what was thrown becomes an answer; nothing of ours is shown, what is unexpected is logged whole. */
const fail =
  ({ log, stopping }: GatewayDeps): ErrorRequestHandler =>
  (error: unknown, request, response, _next) => {
    const problem = problemOf(error);
    if (response.headersSent || (request.destroyed && !request.complete)) {
      response.destroy(); // half an answer, or nobody there to read one
      return;
    }
    if (problem.status === 500) log.error({ err: error }, 'request failed');
    else if (problem.code === 'dependency-unavailable') log.warn({ err: error }, 'dependency unavailable');
    sendProblem(response, problem, stopping());
  };
