import type { RequestHandler, Response } from 'express';
import { z } from 'zod';
import { currentContext, traceIdOf, withContext } from '../_chassis/context.ts';
import type { Authenticate } from '../_chassis/identity.ts';
import { problemBody, type Problem } from '../_chassis/problem.ts';
import { checkContentType, hasBody, parseBody, readJson } from './body.ts';
import type { Reply, Route } from './contract.ts';
import { openStream, readEventId, type StreamSettings } from './event-stream.ts';
import { readKey } from './idempotency-key.ts';
import { problems } from './problems.ts';
import { readId, readQuery } from './query.ts';

const noQuery = z.strictObject({});

/**
 * Serves one route: token, id, query, content type, idempotency key and body are checked in this order; then its handler
 * has until the deadline, which starts when the request has been read.
 */
export function serve(
  route: Route,
  handler: (input: never) => Promise<Reply>,
  deps: {
    authenticate: Authenticate;
    deadlineMs: number;
    stopping: () => boolean;
    ending: AbortSignal;
    streams?: StreamSettings;
  },
): RequestHandler {
  const { body: bodySchema, path } = route;
  const bodyIsOptional = bodySchema?.safeParse(undefined).success === true;

  return async (request, response) => {
    const authorization = request.get('authorization');
    const principal = await deps.authenticate(authorization);
    if (principal === 'invalid') throw problems.unauthenticated('bad-token');
    if (principal === undefined && route.token === 'required') throw problems.unauthenticated('no-token');
    const id = readId(Object.values(request.params).flat()[0], path);
    const query = readQuery(request.url, route.query ?? noQuery);
    const takesBody = bodySchema !== undefined && (hasBody(request) || !bodyIsOptional);
    if (takesBody) checkContentType(request.headers);
    const key = route.key === undefined ? '' : readKey(request.headersDistinct['idempotency-key'], route.key);
    const body = takesBody ? parseBody(await readJson(request), bodySchema) : undefined;

    const context = currentContext();
    if (!context) throw new Error('a request without a context');
    const streams = route.answers[200]?.body === 'event-stream';
    const after = streams ? readEventId(request.get('last-event-id')) : 0;
    const stream = streams ? openStream(response, deps.ending, deps.streams) : undefined;
    const follower = stream && { after, subject: principal?.subject, signal: stream.signal };
    // A stream has no deadline, which would end it; its handler bounds how long it takes to begin.
    const deadline = stream ? undefined : Date.now() + deps.deadlineMs;
    await withContext({ ...context, deadline, authorization }, async () => {
      const reply = await handler({ id, key, query, body, follower } as never);
      if (stream && reply.events) await stream.send(reply.events);
      else send(response, reply, deps.stopping());
    });
  };
}

/** Writes a handler's reply; `closing` ends the connection with it. */
export function send(response: Response, { status, body, headers = {} }: Reply, closing: boolean): void {
  const type = body === undefined ? {} : { 'content-type': 'application/json' };
  write(response, status, { ...type, ...headers }, body, closing);
}

/** Writes a problem (RFC 9457); `closing` ends the connection with it. */
export function sendProblem(response: Response, problem: Problem, closing: boolean): void {
  const traceId = traceIdOf(currentContext()?.traceparent ?? '');
  const headers = { ...problem.headers, 'content-type': 'application/problem+json' };
  write(response, problem.status, headers, problemBody(problem, traceId), closing);
}

function write(
  response: Response,
  status: number,
  headers: Readonly<Record<string, string>>,
  body: object | undefined,
  closing: boolean,
): void {
  response.status(status);
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  if (closing) response.setHeader('connection', 'close');
  response.end(body === undefined ? undefined : JSON.stringify(body));
}
