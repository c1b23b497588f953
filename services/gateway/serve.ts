import type { BlockList } from 'node:net';
import type { RequestHandler, Response } from 'express';
import { z } from 'zod';
import { currentContext, traceIdOf, withContext } from '../_chassis/context.ts';
import { isInScope, type Authenticate } from '../_chassis/identity.ts';
import { isPermitted } from '../_chassis/permission.ts';
import { problemBody, type Problem } from '../_chassis/problem.ts';
import { permissions } from '../auth/contract.ts';
import { write } from './answer.ts';
import { checkContentType, hasBody, parseBody, readJson, usualBodyLimit } from './body.ts';
import { etagOf, namesTag, readIfMatch } from './conditions.ts';
import { openStream, readEventId, type StreamSettings } from './event-stream.ts';
import { readExchange } from './exchange.ts';
import { readKey } from './idempotency-key.ts';
import type { Limit } from './limit.ts';
import { problems } from './problems.ts';
import { readId, readQuery } from './query.ts';
import type { Reply, Route } from './route.ts';

const noQuery = z.strictObject({});

/**
 * Serves one route: token, limit, id, query, content type, idempotency key and body are checked in this order; then its handler
 * has until the deadline, which starts when the request has been read.
 */
export function serve(
  route: Route,
  handler: (input: never) => Promise<Reply | undefined>,
  deps: {
    authenticate: Authenticate;
    limit: Limit;
    proxies: BlockList;
    deadlineMs: number;
    stopping: () => boolean;
    ending: AbortSignal;
    streams?: StreamSettings;
  },
): RequestHandler {
  const { body: bodySchema, bodyLimit = usualBodyLimit, passedOn, path } = route;
  const reads = route.method === 'GET';
  const bodyIsOptional = bodySchema?.safeParse(undefined).success === true;

  return async (request, response) => {
    // Of two Authorization fields, Node's own view of the headers keeps the first; who else reads them may keep the other.
    const [authorization, ...others] = passedOn ? [] : (request.headersDistinct['authorization'] ?? []);
    const principal = others.length > 0 ? 'invalid' : await deps.authenticate(authorization);
    // A token that does not hold counts for the address that sent it.
    await deps.limit(request, response, route.limit, principal);
    if (principal === 'invalid') throw problems.unauthenticated('bad-token');
    if (!isInScope(principal, reads)) throw problems.outOfScope(reads ? 'read' : 'write');
    if (route.permission !== 'anybody') {
      if (principal === undefined) throw problems.unauthenticated('no-token');
      if (route.permission !== 'signed-in' && !isPermitted(permissions[route.permission], { principal }))
        throw problems.forbidden();
    }
    const id = readId(Object.values(request.params).flat()[0], path);
    const exchange = passedOn && (await readExchange(request, deps.proxies));
    const query = passedOn ? undefined : readQuery(request.url, route.query ?? noQuery);
    const takesBody = bodySchema !== undefined && (hasBody(request) || !bodyIsOptional);
    if (takesBody) checkContentType(request.headers);
    const key = route.key === undefined ? '' : readKey(request.headersDistinct['idempotency-key'], route.key);
    const versions = route.condition && readIfMatch(request.get('if-match'));
    const body = takesBody ? parseBody(await readJson(request, bodyLimit), bodySchema) : undefined;

    const context = currentContext();
    if (!context) throw new Error('a request without a context');
    const streams = route.answers[200]?.body === 'event-stream';
    const after = streams ? readEventId(request.get('last-event-id')) : 0;
    const stream = streams ? openStream(response, deps.ending, deps.streams) : undefined;
    const follower = stream && { after, subject: principal?.subject, signal: stream.signal };
    // A stream has no deadline, which would end it; its handler bounds how long it takes to begin.
    const deadline = stream ? undefined : Date.now() + deps.deadlineMs;
    await withContext({ ...context, deadline, authorization }, async () => {
      const reply = await handler({ id, key, query, body, versions, follower, exchange } as never);
      if (!reply) throw new Error(`no reply on ${path}`);
      if (stream && reply.events) await stream.send(reply.events);
      else send(response, reply, route, deps.stopping());
    });
  };
}

/** Writes a reply, or that the client has it already; `closing` ends the connection with it. */
function send(response: Response, reply: Reply, { cache }: Route, closing: boolean): void {
  const { status, version } = reply;
  const text = reply.body === undefined ? undefined : JSON.stringify(reply.body);
  const headers: Record<string, string> = { ...(text !== undefined && { 'content-type': 'application/json' }) };
  const revalidates = cache !== undefined && status === 200;
  if (revalidates) headers['cache-control'] = 'private, no-cache';
  if (text !== undefined && (revalidates || version !== undefined)) headers['etag'] = etagOf(text, version);
  if (revalidates) response.vary('Authorization');
  if (reply.bytes) {
    write(response, status, reply.headers ?? {}, reply.bytes, closing);
  } else if (revalidates && namesTag(response.req.get('if-none-match'), headers['etag'] ?? '')) {
    delete headers['content-type'];
    write(response, 304, headers, undefined, closing);
  } else {
    write(response, status, { ...headers, ...reply.headers }, text, closing);
  }
}

/** Writes a problem (RFC 9457); `closing` ends the connection with it. */
export function sendProblem(response: Response, problem: Problem, closing: boolean): void {
  const traceId = traceIdOf(currentContext()?.traceparent ?? '');
  const headers = { ...problem.headers, 'content-type': 'application/problem+json' };
  write(response, problem.status, headers, JSON.stringify(problemBody(problem, traceId)), closing);
}
