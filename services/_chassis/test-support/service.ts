import { randomUUID } from 'node:crypto';
import { createDispatch } from '../call.ts';
import { clientOver, httpTransport, type Client } from '../client.ts';
import { grpcCalls, openChannel } from '../grpc-calls.ts';
import { createConsumer, requireConsumed, type Delivery } from '../consumer.ts';
import { eventSource, type Contract } from '../contract.ts';
import type { Database } from '../database.ts';
import { toWire, type Envelope } from '../envelope.ts';
import { buildGrpcApp } from '../grpc-app.ts';
import { grpcStreams } from '../grpc-streams.ts';
import { buildHttpApp } from '../http-app.ts';
import { createLog } from '../log.ts';
import { createMetrics } from '../metrics.ts';
import { listenGrpc, listenHttp } from '../listen.ts';
import { standardMethods, type App, type ServiceDeps } from '../service.ts';
import { uuidv7 } from '../uuid.ts';
import type { TestDatabase } from './database.ts';
import { generateSigningKey, signToken, staticAuthenticate } from './issuer.ts';
import { deliverOverGrpc } from './deliver-grpc.ts';
import { createMemorySidecar, type MemorySidecar } from './sidecar.ts';

/** What the sidecar of a service under test knows. */
export const appToken = 'the app token of this test';

/** Who calls in a test: a person with roles, or nobody; `from` is the calling service. */
export interface As {
  readonly sub?: string;
  readonly roles?: readonly string[];
  readonly tenant?: string;
  /** Of the token; all, without it. */
  readonly scopes?: readonly string[];
  readonly from?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface TestService<C extends Contract> {
  readonly database: TestDatabase;
  readonly sidecar: MemorySidecar;
  readonly metrics: ServiceDeps['metrics'];
  /** Where its front door is. */
  readonly port: number;
  /** A typed client of this service, through its real HTTP or gRPC front door, as its sidecar would call. */
  as(who?: As): Promise<Client<C>>;
  /** Delivers an event through the front door that daprd uses; same `id`, same event. */
  deliver(event: {
    source: string;
    topic: string;
    type: string;
    subject: string;
    data: unknown;
    id?: string;
    tenant?: string;
  }): Promise<Delivery>;
  /** Everything in the outbox, oldest first. */
  emitted(): Promise<Envelope[]>;
  close(): Promise<void>;
}

/** Runs a service's real app on a free loopback port, beside a sidecar in memory and on a real database. */
export async function startTestService<C extends Contract>(options: {
  contract: C;
  database: TestDatabase;
  buildApp: (deps: ServiceDeps) => App;
  /** Workers run only where a test wants them. */
  workers?: boolean;
  budget?: number;
  /** Whose tokens it takes; a pair of its own without it. */
  keys?: Awaited<ReturnType<typeof generateSigningKey>>;
}): Promise<TestService<C>> {
  const { contract, database } = options;
  const log = createLog(contract.service, 'silent');
  const metrics = createMetrics(contract.service);
  const sidecar = createMemorySidecar();
  const connect = () => {
    throw new Error('a test of one service reaches no other');
  };
  // Without the superuser's eyes, which a service has not.
  const own: Database = {
    of: (tenant) => database.of(tenant),
    across: database.across,
    onCommitted: (listener) => database.onCommitted(listener),
    close: () => database.close(),
  };
  const app = options.buildApp({ log, metrics, sidecar, database: own, connect });
  requireConsumed(contract, app.subscriptions ?? []);
  const budget = options.budget === undefined ? {} : { budget: options.budget };
  const consumer = createConsumer({
    service: contract.service,
    database,
    log,
    metrics,
    subscriptions: app.subscriptions ?? [],
    ...budget,
  });
  const keys = options.keys ?? (await generateSigningKey());
  const dispatch = createDispatch({
    contract,
    methods: { ...standardMethods(database, {}), ...app.methods },
    authenticate: staticAuthenticate(keys.verificationKeys),
    log,
    metrics,
  });
  const stopping = new AbortController();
  const listening = contract.proto
    ? await listenGrpc(buildGrpcApp({ contract, dispatch, consumer, appToken, stopping: stopping.signal }), 0)
    : await listenHttp(buildHttpApp({ dispatch, consumer, appToken, log }), 0);
  const channel = contract.proto ? openChannel(listening.port) : undefined;
  const workers = options.workers === true ? (app.startWorkers?.() ?? []) : [];
  const direct: MemorySidecar['invoke'] = async (_app, path, { body, headers }) => {
    const response = await fetch(`http://127.0.0.1:${listening.port}${path}`, {
      method: 'POST',
      body: body ?? null,
      headers: { 'content-type': 'application/json', 'dapr-api-token': appToken, ...headers },
    });
    return { status: response.status, body: await response.text() };
  };

  return {
    database,
    sidecar,
    metrics,
    port: listening.port,
    async as({ sub, roles = [], tenant = 'main', scopes, from = 'gateway', headers = {} } = {}) {
      const claims = sub === undefined ? undefined : { sub, roles, tenant, ...(scopes && { scopes }) };
      const token = claims && (await signToken(keys.privateKey, claims));
      const fixed = {
        'dapr-caller-app-id': from,
        'idempotency-key': randomUUID(),
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...headers,
      };
      const transport =
        channel && contract.proto
          ? grpcCalls(channel, contract.service, contract.proto, appToken)
          : httpTransport({ ...sidecar, invoke: direct }, contract.service);
      return clientOver(
        contract,
        (method, request, given, timeoutMs) =>
          transport(method, request, { ...fixed, 'idempotency-key': randomUUID(), ...given }, timeoutMs),
        channel &&
          contract.proto &&
          grpcStreams(channel, contract.service, contract.proto, appToken, { headers: fixed }),
      );
    },
    async deliver({ source, id = uuidv7(), tenant = 'main', ...event }) {
      const time = new Date().toISOString();
      const sent = { specversion: '1.0', id, source: eventSource(source), tenant, time, ...event } as const;
      if (channel) return deliverOverGrpc(channel, appToken, sent);
      const response = await direct(contract.service, `/events/${event.topic}`, { body: JSON.stringify(toWire(sent)) });
      return (JSON.parse(response.body) as { status: Delivery }).status;
    },
    async emitted() {
      const rows = await database.query<{ envelope: Envelope }>('select envelope from outbox order by position');
      return rows.map((row) => row.envelope);
    },
    async close() {
      await Promise.all(workers.map((worker) => worker.stop()));
      stopping.abort();
      channel?.close();
      await listening.close();
      await database.close();
    },
  };
}
