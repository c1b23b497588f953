import { setTimeout as delay } from 'node:timers/promises';
import { createDispatch, type Implementation } from './call.ts';
import { createCatchUp, type EventLog } from './catch-up.ts';
import { createConnect, type Connect } from './client.ts';
import { createConsumer, requireConsumed, type Subscription } from './consumer.ts';
import type { Contract, getHealth, listEvents, readEvents } from './contract.ts';
import { createDatabase, type Database } from './database.ts';
import { buildGrpcApp } from './grpc-app.ts';
import { buildHttpApp } from './http-app.ts';
import { createAuthenticate, type Authenticate } from './identity.ts';
import { createLifecycle, type Lifecycle } from './lifecycle.ts';
import { listenGrpc, listenHttp } from './listen.ts';
import { createLog, type Log } from './log.ts';
import { createMetrics, gaugeOf, type Metrics } from './metrics.ts';
import { failedChecks, startOps, type Check } from './ops.ts';
import { listOutbox, readOutbox, unlistedSeconds } from './outbox.ts';
import { createRelay } from './relay.ts';
import { createSidecarStreams } from './sidecar-streams.ts';
import { createSidecar, type Sidecar } from './sidecar.ts';
import { createTokenKeys, meshKeys } from './token-keys.ts';
import { startWorker, type Worker } from './worker.ts';
import type { z } from 'zod';

/** What every app beside a sidecar is built from. */
export interface BaseDeps {
  readonly log: Log;
  readonly metrics: Metrics;
  readonly sidecar: Sidecar;
  readonly connect: Connect;
}

/** What a service with a database is built from. */
export interface ServiceDeps extends BaseDeps {
  readonly database: Database;
}

/** What a service's `buildApp` gives: its own methods (the standard ones are added), its subscriptions and workers. */
export interface App {
  readonly methods: Readonly<Record<string, Implementation>>;
  readonly subscriptions?: readonly Subscription[];
  /** The outboxes behind the subscriptions, by producer; called once catch-up starts, so that tests need no producer. */
  readonly eventLogs?: () => Readonly<Record<string, EventLog>>;
  /** What must hold, beside database and sidecar, before the service is ready. */
  readonly checks?: Readonly<Record<string, Check>>;
  /** The public keys (JWKs) of access tokens, for the one service that has them itself; the others ask it. */
  readonly listTokenKeys?: () => Promise<readonly unknown[]>;
  /** Started once the app listens. */
  readonly startWorkers?: () => readonly Worker[];
}

interface BaseConfig {
  readonly APP_ID: string;
  readonly OPS_PORT: number;
  readonly OPS_ADDRESS: string;
  readonly DAPR_HTTP_PORT: number;
  readonly DAPR_GRPC_PORT: number;
  readonly DAPR_API_TOKEN: string;
  readonly PUBLIC_URL: string;
  readonly LOG_LEVEL: string;
}

interface ServiceConfig extends BaseConfig {
  readonly APP_PORT: number;
  readonly APP_API_TOKEN: string;
  readonly DATABASE_HOST: string;
  readonly DATABASE_PORT: number;
  readonly DATABASE_POOL_SIZE: number;
  readonly CATCH_UP_INTERVAL_MS: number;
  readonly CATCH_UP_GRACE_MS: number;
}

/** The parts that need no database: log, metrics, lifecycle, ops port, and the sidecar once it can call out. */
export async function startBase(
  config: BaseConfig,
): Promise<
  BaseDeps & { lifecycle: Lifecycle; authenticate: Authenticate; addChecks(more: Record<string, Check>): void }
> {
  const log = createLog(config.APP_ID, config.LOG_LEVEL);
  const metrics = createMetrics(config.APP_ID, true);
  const lifecycle = createLifecycle(log);
  const sidecar = createSidecar({ port: config.DAPR_HTTP_PORT, apiToken: config.DAPR_API_TOKEN });
  const connect = createConnect({ sidecar, grpcPort: config.DAPR_GRPC_PORT, apiToken: config.DAPR_API_TOKEN });
  let checks: Record<string, Check> = { started: async () => false };
  const stoppable = { stopping: async () => !lifecycle.stopping, sidecar: () => sidecar.isHealthy() };
  await startOps({
    port: config.OPS_PORT,
    host: config.OPS_ADDRESS,
    checks: () => ({ ...stoppable, ...checks }),
    metrics,
  });
  while (!(await sidecar.isHealthy())) await delay(25);
  const authenticate = createAuthenticate({ issuer: config.PUBLIC_URL, keys: meshKeys(connect) });
  return { log, metrics, lifecycle, sidecar, connect, authenticate, addChecks: (more) => void (checks = more) };
}

/**
 * Runs a service from start to exit: its methods and event deliveries on the app port in the contract's protocol, its
 * relay, catch-up and workers; on SIGTERM it ends its workers and has its sidecar leave, then stops listening, finishes what
 * is in flight, and closes relay and pool.
 */
export async function runService(
  contract: Contract,
  config: ServiceConfig,
  buildApp: (deps: ServiceDeps) => App | Promise<App>,
): Promise<void> {
  const base = await startBase(config);
  const { log, metrics, sidecar, connect, lifecycle } = base;
  const database = createDatabase({
    service: contract.service,
    host: config.DATABASE_HOST,
    port: config.DATABASE_PORT,
    password: await sidecar.getSecret(`${contract.service}DatabasePassword`),
    poolSize: config.DATABASE_POOL_SIZE,
    log,
  });
  const relay = createRelay({ sidecar, log, metrics });
  database.onCommitted((events) => relay.push(events));
  const topics = [...new Set(Object.values(contract.events).map((event) => event.topic))];
  gaugeOf(metrics, {
    name: 'sidecart_outbox_unlisted_age_seconds',
    help: 'Age of the oldest event that consumers cannot list yet, because an older transaction is open in the cluster',
    value: () => unlistedSeconds(database.across, topics),
  });
  const app = await buildApp({ log, metrics, sidecar, connect, database });
  const subscriptions = app.subscriptions ?? [];
  requireConsumed(contract, subscriptions);
  const consumer =
    subscriptions.length === 0
      ? undefined
      : createConsumer({ ...base, database, service: contract.service, subscriptions });
  const checks = { database: async () => (await database.across.query('select 1')).length === 1 };
  const dispatch = createDispatch({
    contract,
    methods: { ...standardMethods(database, { ...checks, sidecar: () => sidecar.isHealthy() }), ...app.methods },
    authenticate: app.listTokenKeys
      ? createAuthenticate({ issuer: config.PUBLIC_URL, keys: createTokenKeys(app.listTokenKeys) })
      : base.authenticate,
    log,
    metrics,
  });
  let subscribed = !consumer;
  const onSubscribed = () => void (subscribed = true);
  const stopping = new AbortController();
  const streams = createSidecarStreams(() => sidecar.isGoing());
  const sideFacing = { dispatch, consumer, appToken: config.APP_API_TOKEN, log, onSubscribed };
  const listening = contract.proto
    ? await listenGrpc(buildGrpcApp({ ...sideFacing, contract, streams, stopping: stopping.signal }), config.APP_PORT)
    : await listenHttp(buildHttpApp(sideFacing), config.APP_PORT);
  const workers = [...(app.startWorkers?.() ?? [])];
  if (consumer) {
    const catchUp = createCatchUp({
      consumer,
      database,
      logs: app.eventLogs?.() ?? {},
      log,
      metrics,
      graceMs: config.CATCH_UP_GRACE_MS,
    });
    const run = () => catchUp.tick().then(() => false);
    workers.push(startWorker({ name: 'catch-up', idleMs: config.CATCH_UP_INTERVAL_MS, log, run }));
  }
  const consumed = subscriptions.map(({ topic }) => topic);
  const isSubscribed = async () => subscribed || (await sidecar.subscribesTo(consumed));
  base.addChecks({ ...checks, ...app.checks, subscribed: isSubscribed });
  log.info({ port: config.APP_PORT }, 'listening');

  lifecycle.onStop('streams', () => stopping.abort());
  lifecycle.onStop('workers', () => Promise.all(workers.map((worker) => worker.stop())));
  // A sidecar whose app is gone goes on being found, and fails every other call of two replicas.
  lifecycle.onStop('sidecar', () => sidecar.leave());
  lifecycle.onStop('app', () => listening.close());
  lifecycle.onStop('relay', () => Promise.race([relay.idle(), delay(2_000)]));
  lifecycle.onStop('database', () => database.close());
}

/** What every service answers beside its own methods. */
export function standardMethods(database: Database, checks: Readonly<Record<string, Check>>) {
  return {
    listEvents: async (page: z.output<typeof listEvents.request>) => ({
      kind: 'events' as const,
      events: await listOutbox(database.across, page),
    }),
    readEvents: async ({ ids }: z.output<typeof readEvents.request>) => ({
      kind: 'envelopes' as const,
      envelopes: await readOutbox(database.across, ids),
    }),
    getHealth: async (): Promise<z.output<typeof getHealth.response>> => ({
      kind: 'health',
      status: (await failedChecks(checks)).length === 0 ? 'healthy' : 'unhealthy',
    }),
  };
}
