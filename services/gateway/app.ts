import type { BlockList } from 'node:net';
import express, { type ErrorRequestHandler, type Express } from 'express';
import type { Connect } from '../_chassis/client.ts';
import type { Authenticate } from '../_chassis/identity.ts';
import type { Log } from '../_chassis/log.ts';
import type { Metrics } from '../_chassis/metrics.ts';
import { begin, refuseUnreadable } from './arrival.ts';
import { routes, type Handlers } from './contract.ts';
import { allowOrigins, preflight } from './cors.ts';
import type { StreamSettings } from './event-stream.ts';
import { followHandlers } from './follow.ts';
import { healthHandlers } from './health.ts';
import type { Limit } from './limit.ts';
import { apiHandlers } from './openapi.ts';
import { problemOf, problems } from './problems.ts';
import type { Reply, Route } from './route.ts';
import { sendProblem, serve } from './serve.ts';
import { shopHandlers } from './shop.ts';

/** What the gateway is built from; it has no state of its own. */
export interface GatewayDeps {
  readonly log: Log;
  readonly metrics: Metrics;
  readonly connect: Connect;
  readonly authenticate: Authenticate;
  readonly limit: Limit;
  /** Whose word about where a request comes from is taken. */
  readonly proxies: BlockList;
  readonly isHealthy: () => Promise<boolean>;
  /** True once the process has been told to stop: connections are then closed with their next answer. */
  readonly stopping: () => boolean;
  /** Aborted when the process is told to stop: every event stream then ends. */
  readonly ending: AbortSignal;
}

export interface Settings {
  readonly deadlineMs: number;
  /** Whose pages may read the answers; nobody's without it. */
  readonly origins?: readonly string[];
  /** The name of this replica, which every answer then carries as `x-served-by`. */
  readonly servedBy?: string | undefined;
  readonly streams?: StreamSettings;
}

/** The public REST API as an Express app: the table of routes, 405 and 404 for everything else, and one way to fail. */
export function buildApp(deps: GatewayDeps, settings: Settings): Express {
  const handlers: Handlers = {
    ...apiHandlers(),
    ...healthHandlers(deps),
    ...shopHandlers(),
    ...followHandlers(deps, settings),
  };
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.enable('case sensitive routing');
  app.enable('strict routing');

  app.use(begin(deps, settings.servedBy));
  if (settings.origins?.length) app.use(allowOrigins(settings.origins, Object.values<Route>(routes)));
  app.use(refuseUnreadable);
  const own = new Map<string, (input: never) => Promise<Reply>>(Object.entries(handlers));
  for (const [name, route] of Object.entries<Route>(routes)) {
    const verb = route.method.toLowerCase() as Lowercase<Route['method']>;
    const handler = route.question?.answerWith(deps.connect) ?? own.get(name);
    if (!handler) throw new Error(`nothing answers ${name}`);
    app[verb](pattern(route.path), serve(route, handler, { ...deps, ...settings }));
  }
  for (const [path, allow] of allowed()) {
    const here = Object.values<Route>(routes).filter((route) => route.path === path);
    app.all(pattern(path), preflight(here, allow), () => {
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
