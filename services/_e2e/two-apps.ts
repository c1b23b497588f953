import { setTimeout as delay } from 'node:timers/promises';
import { createDispatch } from '../_chassis/call.ts';
import { createConnect, httpTransport, type Client, type StreamTransport, type Transport } from '../_chassis/client.ts';
import type { Consumer } from '../_chassis/consumer.ts';
import { envelope, type Envelope } from '../_chassis/envelope.ts';
import { buildGrpcApp } from '../_chassis/grpc-app.ts';
import { grpcCalls, openChannel } from '../_chassis/grpc-calls.ts';
import { grpcStreams } from '../_chassis/grpc-streams.ts';
import { buildHttpApp } from '../_chassis/http-app.ts';
import { createLog } from '../_chassis/log.ts';
import { createMetrics } from '../_chassis/metrics.ts';
import { listenGrpc, listenHttp } from '../_chassis/listen.ts';
import { grpcThingsContract, thingsContract, thingsMethods } from '../_chassis/test-support/things.ts';
import { homeAt } from '../../tools/mesh/home.ts';
import { newTokens } from '../../tools/mesh/pair.ts';
import { createRedis, type Redis } from '../../tools/mesh/redis.ts';
import { waitUntilReady } from '../../tools/mesh/wait.ts';
import { component, freePort, makeDaprdHome, startDaprd, type Daprd, type DaprdHome } from './daprd.ts';

export type Protocol = 'http' | 'grpc';

/** An app with its sidecar, seen from inside. */
export interface TestApp {
  readonly daprd: Daprd;
  /** Where it listens, for its own sidecar only. */
  readonly port: number;
  readonly appToken: string;
  /** The methods that somebody has called, in order of arrival. */
  readonly called: string[];
  /** What was delivered to it, in order of arrival. */
  readonly received: Envelope[];
  /** A client of the app of that protocol, through this app's sidecar. */
  clientOf(protocol: Protocol): Client<typeof thingsContract>;
  /** What carries its calls there: for headers that no client of ours sends. */
  transportTo(protocol: Protocol): Transport;
  /** Carries streams of the app over gRPC. */
  readonly streams: StreamTransport;
  /** Ends the app alone; its sidecar stays. */
  closeApp(): Promise<void>;
  stop(): Promise<void>;
}

/** Two apps, one a protocol, each beside a real sidecar, that may call each other. */
export interface TwoApps {
  readonly apps: Readonly<Record<Protocol, TestApp>>;
  readonly home: DaprdHome;
  /** The Redis of the second. */
  readonly redis: Redis;
  close(): Promise<void>;
}

// Names of the mesh, so that its resiliency.yaml is in force between them.
export const appIds = { http: 'inventory', grpc: 'orders' } as const;
const callers = Object.values(appIds);
const methods = {
  ...thingsContract.methods, // getHealth is the gateway's alone
  getThing: { ...thingsContract.methods.getThing, callers },
  keepThing: { ...thingsContract.methods.keepThing, callers },
};
export const contracts = {
  http: { ...thingsContract, methods, service: appIds.http },
  grpc: {
    ...grpcThingsContract,
    methods: { ...methods, watchThing: { ...grpcThingsContract.methods.watchThing, callers } },
    service: appIds.grpc,
  },
};

/** Starts both: the one over HTTP keeps state in memory, the one over gRPC in Redis. */
export async function startTwoApps(secrets: Readonly<Record<string, string>>): Promise<TwoApps> {
  const home = await makeDaprdHome(secrets);
  const [port, password] = [await freePort(), 'only-here'];
  const redis = await createRedis({ home: homeAt(home.folder), port, password, onEvent: () => undefined });
  redis.group.start();
  await waitUntilReady([redis.group], { timeoutMs: 30_000 });
  const stores = {
    http: component('statestore', 'state.in-memory'),
    grpc: component('statestore', 'state.redis', { redisHost: `127.0.0.1:${port}`, redisPassword: password }),
  };
  const [http, grpc] = await Promise.all([startApp(home, 'http', stores.http), startApp(home, 'grpc', stores.grpc)]);
  return {
    apps: { http, grpc },
    home,
    redis,
    async close() {
      await Promise.all([http.stop(), grpc.stop(), redis.group.stop()]);
      await home.remove();
    },
  };
}

const things = thingsMethods({
  async getThing({ thingId: id }) {
    if (id === 'broken') throw new Error('cannot');
    if (id === 'slow') await new Promise<void>((resolve) => setTimeout(resolve, 3_000).unref());
    return { kind: 'found', thing: { id, tags: [] } };
  },
  async *watchThing({ thingId }, { signal }) {
    yield { kind: 'tagged', tag: 'at once' };
    await delay(thingId === 'long' ? 11_000 : 0, undefined, { signal }).catch(() => undefined);
    yield { kind: 'tagged', tag: 'later' };
  },
});

async function startApp(home: DaprdHome, protocol: Protocol, statestore: string): Promise<TestApp> {
  const contract = contracts[protocol];
  const { service } = contract;
  const log = createLog(service, 'silent');
  const received: Envelope[] = [];
  const consumer: Consumer = {
    service,
    subscriptions: [{ source: 'things', topic: thingsContract.events.ThingKept.topic, handlers: {} }],
    async deliver(_topic, message) {
      received.push(envelope.parse(message));
      return 'SUCCESS';
    },
    handle: () => Promise.reject(new Error('nothing is caught up here')),
  };
  const authenticate = async () => undefined;
  const called: string[] = [];
  const run = createDispatch({ contract, methods: things, authenticate, log, metrics: createMetrics(service) });
  const dispatch: typeof run = (name, arrival) => {
    called.push(name);
    return run(name, arrival);
  };
  const appToken = newTokens().APP_API_TOKEN;
  const deps = { dispatch, consumer, appToken, log };
  const grpcApp = () => buildGrpcApp({ ...deps, contract: contracts.grpc });
  const listening = await (protocol === 'grpc' ? listenGrpc(grpcApp(), 0) : listenHttp(buildHttpApp(deps), 0));
  const { port } = listening;
  const components = {
    pubsub: component('pubsub', 'pubsub.in-memory'),
    secretstore: component('secretstore', 'secretstores.local.file', { secretsFile: '.data/secrets.json' }),
    statestore,
  };
  const daprd = await startDaprd({ home, appId: service, protocol, appPort: port, appToken, contract, components });
  const connect = createConnect(daprd);
  let closed: Promise<void> | undefined;
  const closeApp = () => (closed ??= listening.close());
  const channel = openChannel(daprd.grpcPort);
  return {
    daprd,
    port,
    appToken,
    called,
    received,
    clientOf: (other) => connect(contracts[other]),
    transportTo: (other) =>
      other === 'grpc'
        ? grpcCalls(channel, appIds.grpc, contracts.grpc.proto, daprd.apiToken)
        : httpTransport(daprd.sidecar, appIds.http),
    streams: grpcStreams(channel, appIds.grpc, contracts.grpc.proto, daprd.apiToken),
    closeApp,
    async stop() {
      channel.close();
      connect.close();
      await daprd.stop();
      await closeApp();
    },
  };
}
