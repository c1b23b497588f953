import type { RequestListener } from 'node:http';
import express, { type ErrorRequestHandler } from 'express';
import type { createDispatch } from './call.ts';
import { createTokenCheck } from './app-token.ts';
import type { Consumer } from './consumer.ts';
import { contextOf, withContext } from './context.ts';
import { routeOf, takeDeliveries } from './deliveries.ts';
import type { Log } from './log.ts';

const methodBodyLimit = '256kb';

/**
 * The HTTP side of a service, for its own sidecar only: `POST /<method>` answers 200 with the answer, 4xx for a call
 * that no caller of ours makes and 500, bare, for a fault; `POST /events/<topic>` takes deliveries.
 */
export function buildHttpApp(deps: {
  dispatch: ReturnType<typeof createDispatch>;
  consumer?: Consumer | undefined;
  appToken: string;
  log: Log;
  /** Called when the sidecar has asked what to subscribe to: from then on it reaches this app. */
  onSubscribed?: () => void;
}): RequestListener {
  const { dispatch, consumer } = deps;
  const isSidecar = createTokenCheck(deps.appToken);
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');

  app.use((request, response, next) => {
    if (isSidecar(request.get('dapr-api-token'))) next();
    else response.status(401).json({ error: 'not from the sidecar' });
  });

  if (consumer) {
    app.get('/dapr/subscribe', (_request, response) => {
      response.json(subscribeList(consumer));
      deps.onSubscribed?.();
    });
  }

  app.post(
    '/:method',
    express.json({ type: () => true, limit: methodBodyLimit, strict: false }),
    async (request, response) => {
      const context = contextOf((name) => request.get(name));
      await withContext(context, async () => {
        const outcome = await dispatch(request.params.method, {
          context,
          callerService: request.get('dapr-caller-app-id'),
          idempotencyKey: request.get('idempotency-key'),
          request: request.body,
        });
        if (outcome.kind === 'answer') response.json(outcome.answer);
        else if (outcome.kind === 'bad-request') response.status(400).json({ error: outcome.detail });
        else if (outcome.kind === 'not-allowed')
          response.status(403).json({ error: 'this caller is not listed in the contract' });
        else response.status(500).json({ error: 'internal' });
      });
    },
  );

  app.use((_request, response) => {
    response.status(404).json({ error: 'no such path' });
  });
  app.use(errorHandler(deps.log));
  return consumer ? takeDeliveries({ consumer, isSidecar, log: deps.log }, app) : app;
}

/** What daprd is told at start; each subscription names the service's dead-letter topic, which nobody subscribes to. */
export const subscribeList = (consumer: Consumer) =>
  consumer.subscriptions.map(({ topic }) => ({
    pubsubname: 'pubsub',
    topic,
    route: routeOf(topic),
    deadLetterTopic: `${consumer.service}.dead-letters`,
  }));

/** A body that can't be read is a 4xx, anything else a bare 500. */
const errorHandler =
  (log: Log): ErrorRequestHandler =>
  (error: unknown, _request, response, _next) => {
    const status = error instanceof Error && 'status' in error ? Number(error.status) : 500;
    if (response.headersSent) {
      response.destroy();
    } else if (status >= 400 && status < 500) {
      response.status(status).json({ error: 'unreadable body' });
    } else {
      log.error({ err: error }, 'request failed');
      response.status(500).json({ error: 'internal' });
    }
  };
