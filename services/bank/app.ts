import { setTimeout as delay } from 'node:timers/promises';
import express, { type ErrorRequestHandler, type Express, type Response } from 'express';
import { z } from 'zod';
import type { TenantDatabase } from '../_chassis/database.ts';
import { isTransient } from '../_chassis/errors.ts';
import type { Log } from '../_chassis/log.ts';
import type { Metrics } from '../_chassis/metrics.ts';
import { cardOf } from './cards.ts';
import { chargeRequest, key, type ChargeAnswer } from './contract.ts';
import { createLedger } from './ledger.ts';
import type { Charge } from './store.ts';

/** How long a slow charge takes, and how long a request that is never answered is held open; milliseconds. */
export interface BankSettings {
  readonly slowMs: number;
  readonly lostMs: number;
}

/** The bank's HTTP side. A decline is an answer, 200; a status of 400 or more is no result. */
export function buildApp(
  deps: { database: TenantDatabase; log: Log; metrics: Metrics; stopping: AbortSignal },
  { slowMs, lostMs }: BankSettings,
): Express {
  const { database, log, stopping } = deps;
  const ledger = createLedger({ database, slowMs, stopping });
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');

  const timed = (method: string, answer: string, startedAt: number) => {
    deps.metrics.methodDuration.observe({ method, answer }, (performance.now() - startedAt) / 1_000);
  };
  const send = (response: Response, method: string, charge: Charge, startedAt: number) => {
    const { state: status, ...rest } = charge;
    response.json({ ...rest, status } satisfies ChargeAnswer);
    timed(method, status, startedAt);
    log.info({ method, key: charge.key, status }, 'answered');
  };

  app.post('/charges', express.json({ type: () => true, limit: '16kb' }), async (request, response) => {
    const startedAt = performance.now();
    const wanted = chargeRequest.parse(request.body);
    const card = cardOf(wanted.token);
    const charge = await ledger.charge(wanted.key, wanted.amount, card);
    if (charge === 'unavailable') {
      response.status(503).json({ error: 'try again' });
      timed('charge', charge, startedAt);
    } else if (card.lost === true) {
      log.info({ key: wanted.key, status: charge.state }, 'done, and never answered');
      await delay(lostMs, undefined, { signal: untilClosed(response, stopping) }).catch(() => undefined);
      response.destroy();
      timed('charge', 'lost', startedAt);
    } else {
      send(response, 'charge', charge, startedAt);
    }
  });

  app.get('/charges/:key', async (request, response) => {
    const startedAt = performance.now();
    send(response, 'get', await ledger.find(key.parse(request.params.key)), startedAt);
  });

  app.post('/charges/:key/reversal', async (request, response) => {
    const startedAt = performance.now();
    send(response, 'reverse', await ledger.reverse(key.parse(request.params.key)), startedAt);
  });

  app.use((_request, response) => {
    response.status(404).json({ error: 'no such path' });
  });
  app.use(errorHandler(log, stopping));
  return app;
}

/** Aborts when the client has gone or the bank stops. */
function untilClosed(response: Response, stopping: AbortSignal): AbortSignal {
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  return AbortSignal.any([gone.signal, stopping]);
}

const errorHandler =
  (log: Log, stopping: AbortSignal): ErrorRequestHandler =>
  (error: unknown, _request, response, _next) => {
    const status = error instanceof Error && 'status' in error ? Number(error.status) : 500;
    if (response.headersSent || stopping.aborted) {
      response.destroy();
    } else if (error instanceof z.ZodError || (status >= 400 && status < 500)) {
      response.status(400).json({ error: 'unreadable request' });
    } else if (isTransient(error)) {
      log.warn({ err: error }, 'the books are out of reach');
      response.status(503).json({ error: 'try again' });
    } else {
      log.error({ err: error }, 'request failed');
      response.status(500).json({ error: 'internal' });
    }
  };
