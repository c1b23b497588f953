import type { Group } from './group.ts';
import { homeAt, repository } from './home.ts';
import type { Pair } from './pair.ts';
import { isFree } from './ports.ts';
import { stopSignals, type PostgresStop } from './postgres.ts';
import { isSameProcess } from './process-table.ts';
import type { Progress } from './progress.ts';
import type { Ports } from './run-file.ts';
import type { SentryPorts } from './sentry.ts';
import { startParts } from './start.ts';
import { clearState } from './state.ts';
import { stopParts } from './stop.ts';
import { waitUntilReady } from './wait.ts';

export interface MeshOptions {
  /** The folder that gets the mesh's `.data`, and in which the sidecars run. */
  readonly home: string;
  /** The project whose run file, migrations and seeds are used; this repository by default. */
  readonly root?: string;
  /** Replicas by service, 1 by default. */
  readonly replicas?: Readonly<Record<string, number>>;
  /** Only these services of the run file; with [] only what stands behind them. */
  readonly services?: readonly string[] | undefined;
  /** Added to the environment of every app. */
  readonly env?: Readonly<Record<string, string>>;
  /** Where apps listen, by service, when something else will answer on the port that their sidecar calls. */
  readonly appPorts?: Readonly<Record<string, number>>;
  readonly onProgress?: (progress: Progress) => void;
  /** How long the start may take until the services are ready, 120 s by default. */
  readonly readyTimeoutMs?: number;
  /** Gives up a start that is under way; what was started is ended again. */
  readonly signal?: AbortSignal | undefined;
  readonly postgres?: { readonly port?: number; readonly settings?: Readonly<Record<string, string>> };
  readonly redis?: { readonly port?: number };
  readonly sentry?: SentryPorts;
}

/** One replica as it is now. */
export interface PairStatus {
  readonly name: string;
  readonly service: string;
  readonly replica: number;
  readonly ports: Ports;
  readonly appPid: number | undefined;
  readonly sidecarPid: number | undefined;
  readonly restarts: number;
  /** Released, so that something else may have its ports. */
  readonly lent: boolean;
}

/** A server behind the services as it is now. */
export interface ServerStatus {
  readonly name: string;
  readonly port: number;
  readonly pid: number | undefined;
  readonly restarts: number;
}

/** A running mesh. Whatever dies in it is started again until `stop`. */
export interface Mesh {
  readonly home: string;
  readonly gatewayUrl: string;
  readonly adminDatabaseUrl: string;
  /** A service's database as the superuser, who sees the rows of every tenant. */
  databaseUrl(service: string): string;
  pairs(): PairStatus[];
  servers(): ServerStatus[];
  /** Signals one process of a pair; from then on the pair is not ready until it has started anew, if the signal ends it. */
  signal(pairName: string, member: 'app' | 'sidecar', signal: NodeJS.Signals): void;
  /** Stops one pair in order and starts it again; resolves once it is ready. */
  restart(pairName: string): Promise<void>;
  /** Resolves once all that should run is ready at the same time, asked afresh; fails with the names of what is not. */
  waitReady(timeoutMs: number): Promise<void>;
  /** Stops PostgreSQL, by a crash if `immediate`, and resolves once it answers again. */
  restartPostgres(how: PostgresStop): Promise<void>;
  /** Empties Redis while it runs. */
  flushRedis(): Promise<void>;
  /** Kills Redis, with `wipe` also its data, and resolves once it answers again. */
  killRedis(options: { wipe: boolean }): Promise<void>;
  /** Kills the certificate authority, and resolves once it answers again. */
  killSentry(): Promise<void>;
  /** Stops a service's pairs in order, so that another process can take their ports. */
  release(service: string): Promise<void>;
  /** Starts a released service's pairs again. */
  takeBack(service: string): void;
  /** Stops everything in order; fails if a process or a port is left. */
  stop(): Promise<void>;
}

/** Starts PostgreSQL, Redis, Sentry, the bank and the run file's services, and resolves once all are ready; else nothing is left. */
export async function startMesh(options: MeshOptions): Promise<Mesh> {
  const home = homeAt(options.home);
  const parts = await startParts({ ...options, home, root: options.root ?? repository });
  const { postgres, redis, pairs } = parts;

  const pairNamed = (name: string): Pair => {
    const pair = pairs.find((one) => one.name === name);
    if (!pair) throw new Error(`no pair ${name}; there are ${pairs.map((one) => one.name).join(', ')}`);
    return pair;
  };
  async function restartServer(group: Group, signal: NodeJS.Signals): Promise<void> {
    group.signal('server', signal);
    await waitUntilReady([group], { timeoutMs: 60_000 });
  }

  return {
    home: home.root,
    gatewayUrl: `http://127.0.0.1:${pairs.find(({ service }) => service === 'gateway')?.ports.app ?? 8080}`,
    adminDatabaseUrl: postgres.url(),
    databaseUrl: (service) => postgres.url(service),
    pairs: () => pairs.map(pairStatus),
    servers: () => parts.servers.map(({ group, port }) => serverStatus(group, port)),
    signal: (pairName, member, signal) => pairNamed(pairName).group.signal(member, signal),
    async restart(pairName) {
      const { group } = pairNamed(pairName);
      await group.stop();
      group.start();
      await waitUntilReady([group], { timeoutMs: 60_000 });
    },
    waitReady: (timeoutMs) =>
      waitUntilReady(
        parts.ledger.groups().filter((group) => group.running),
        { timeoutMs },
      ),
    restartPostgres: (how) => restartServer(postgres.group, stopSignals[how]),
    async flushRedis() {
      await redis.command('FLUSHALL');
    },
    async killRedis({ wipe }) {
      if (wipe) redis.wipeBeforeNextStart();
      await restartServer(redis.group, 'SIGKILL');
    },
    killSentry: () => restartServer(parts.sentry, 'SIGKILL'),
    async release(service) {
      await Promise.all(pairs.filter((pair) => pair.service === service).map(({ group }) => group.stop()));
    },
    takeBack(service) {
      for (const pair of pairs) if (pair.service === service) pair.group.start();
    },
    async stop() {
      await stopParts(parts, options.onProgress);
      const alive = parts.ledger.everStarted().filter(isSameProcess);
      const ports = await Promise.all(parts.ports.map(async ({ port }) => ((await isFree(port)) ? [] : [port])));
      if (alive.length > 0 || ports.flat().length > 0) {
        const names = alive.map(({ name, pid }) => `${name} (pid ${pid})`);
        throw new Error(`left behind: ${[...names, ...ports.flat().map((port) => `port ${port}`)].join(', ')}`);
      }
      clearState(home);
    },
  };
}

function pairStatus({ name, service, replica, ports, group }: Pair): PairStatus {
  const pid = (role: string) => (group.child(role)?.isAlive() ? group.child(role)?.pid : undefined);
  return {
    name,
    service,
    replica,
    ports,
    appPid: pid('app'),
    sidecarPid: pid('sidecar'),
    restarts: group.restarts,
    lent: !group.running,
  };
}

function serverStatus(group: Group, port: number): ServerStatus {
  const alive = group.children().find((child) => child.isAlive());
  return { name: group.name, port, pid: alive?.pid, restarts: group.restarts };
}
