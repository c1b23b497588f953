import type { RequestHandler } from 'express';
import { write } from './answer.ts';
import type { Route } from './route.ts';

const preflightSeconds = '600';
const exposed = 'etag, location, ratelimit, ratelimit-policy, retry-after, www-authenticate, x-cache, x-request-id';

/**
 * Lets pages of exactly these origins read what is answered here, errors too, but for the pages that people sign in at
 * (RFC 9700, 2.6). Never with credentials: who signs a request sends a token with it, and a cookie that the browser adds
 * by itself is nothing that a page of another origin may use.
 */
export function allowOrigins(origins: readonly string[], routes: readonly Route[]): RequestHandler {
  const isShown = ({ answers }: Route) => Object.values(answers).some(({ body }) => body === 'html');
  const pages = routes.filter((route) => route.passedOn === true && isShown(route));
  const paths = pages.map(({ path }) => path.replace(/\{\w+\}/g, '[^/]+'));
  const isPage = new RegExp(`^(?:${paths.join('|')})$`);
  return (request, response, next) => {
    response.vary('Origin');
    const origin = request.get('origin');
    if (origin !== undefined && origins.includes(origin) && !isPage.test(request.path)) {
      response.setHeader('access-control-allow-origin', origin);
      response.setHeader('access-control-expose-headers', exposed);
    }
    next();
  };
}

/** Answers the question that a browser asks before a request; any other OPTIONS, and any other origin, goes on to the 405. */
export function preflight(routes: readonly Route[], methods: string): RequestHandler {
  const headers = [...new Set(routes.flatMap(headersOf))].sort().join(', ');
  return (request, response, next) => {
    const asks = request.method === 'OPTIONS' && request.get('access-control-request-method') !== undefined;
    if (!asks || !response.hasHeader('access-control-allow-origin')) return void next();
    response.removeHeader('access-control-expose-headers');
    response.setHeader('access-control-allow-methods', methods);
    response.setHeader('access-control-allow-headers', headers);
    response.setHeader('access-control-max-age', preflightSeconds);
    response.vary('Access-Control-Request-Method, Access-Control-Request-Headers');
    write(response, 204, {}, undefined, false);
  };
}

/** What a page may send beside what browsers always let it. */
const headersOf = ({ body, key, cache, condition, answers }: Route): string[] => [
  'authorization',
  'traceparent',
  'x-request-id',
  ...(body ? ['content-type'] : []),
  ...(key ? ['idempotency-key'] : []),
  ...(cache ? ['if-none-match'] : []),
  ...(condition ? ['if-match'] : []),
  ...(answers[200]?.body === 'event-stream' ? ['last-event-id'] : []),
];
