import type { Request, RequestHandler } from 'express';
import { contextOf, traceIdOf, withContext } from '../_chassis/context.ts';
import type { Log } from '../_chassis/log.ts';
import type { Metrics } from '../_chassis/metrics.ts';
import { fieldsOf } from './answer.ts';
import { problems } from './problems.ts';
import { checkTarget } from './query.ts';

const saneRequestId = /^[\w.:-]{1,64}$/;
const unreadBodyGraceMs = 1_000;

/**
 * What every request gets first: a context with trace and request id, the headers that every answer carries, one line in
 * the log and one observation once it is answered.
 */
export const begin =
  (deps: { log: Log; metrics: Metrics }, servedBy?: string): RequestHandler =>
  (request, response, next) => {
    const started = performance.now();
    const { traceparent } = contextOf((name) => request.get(name));
    const given = request.get('x-request-id') ?? '';
    const requestId = saneRequestId.test(given) ? given : traceIdOf(traceparent);
    const context = { requestId, traceparent };
    const fields = fieldsOf(response);
    fields['x-request-id'] = requestId;
    if (servedBy !== undefined) fields['x-served-by'] = servedBy;
    // A browser would hold it for every port of this machine.
    if (request.secure && request.hostname !== 'localhost') fields['strict-transport-security'] = 'max-age=31536000';

    response.on('close', () => {
      const durationMs = performance.now() - started;
      const route = routeOf(request);
      const { statusCode: status, writableFinished } = response;
      deps.metrics.methodDuration.observe({ method: route, answer: String(status) }, durationMs / 1_000);
      const fields = { method: request.method, route, status, durationMs: Math.round(durationMs * 100) / 100 };
      withContext(context, () => {
        deps.log.info(writableFinished ? fields : { ...fields, aborted: true }, 'request answered');
      });
      if (!request.complete) finishReading(request);
    });
    withContext(context, next);
  };

/** Refuses what no route needs to see: a broken or endless target, HTTP/1.1 without a host. */
export const refuseUnreadable: RequestHandler = (request, _response, next) => {
  checkTarget(request.url);
  if (request.headers.host === undefined && request.httpVersion === '1.1') {
    throw problems.badRequest('The Host header is missing.');
  }
  next();
};

/** Whoever was answered before his body was through may finish sending it, for a second, so that he reads the answer. */
function finishReading(request: Request): void {
  request.resume();
  setTimeout(() => {
    if (!request.complete) request.socket.destroy();
  }, unreadBodyGraceMs).unref();
}

/** The pattern of the path and its method, so that logs and metrics have few values and no ids. */
function routeOf(request: Request): string {
  const route: unknown = request.route;
  if (typeof route !== 'object' || route === null || !('path' in route)) return 'none';
  return `${request.method} ${String(route.path)}`;
}
