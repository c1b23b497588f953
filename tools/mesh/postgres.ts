import { join } from 'node:path';
import pg from 'pg';
import { createGroup, type Group, type GroupEvent } from './group.ts';
import type { Home } from './home.ts';
import { ensureCluster } from './postgres-cluster.ts';

/** The mesh's PostgreSQL server. */
export interface Postgres {
  readonly major: number;
  readonly group: Group;
  /** A connection string of a role for a database, by default the superuser's. */
  url(database?: string, role?: { name: string; password: string }): string;
}

/** How the server is asked to end: `fast` finishes nothing but loses nothing, `immediate` is a crash. */
export type PostgresStop = 'fast' | 'immediate';
export const stopSignals = { fast: 'SIGINT', immediate: 'SIGQUIT' } as const;

/** The server of the home's cluster, made if there is none, and not started yet. It listens on loopback only. */
export async function createPostgres(options: {
  home: Home;
  port: number;
  password: string;
  settings?: Readonly<Record<string, string>> | undefined;
  onEvent: (event: GroupEvent) => void;
}): Promise<Postgres> {
  const { home, port, password } = options;
  const cluster = await ensureCluster(home, password);
  const settings: Record<string, string | number> = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: 200,
    // A shop's tables are small and its reads go by index; the server's own 128 MB fill up within minutes all the same.
    shared_buffers: '32MB',
    // One forgotten transaction would hold back every service's event log.
    idle_in_transaction_session_timeout: '10s',
    // New tables grow fast, and plans that were made for empty ones are replaced when they have been analysed.
    autovacuum_naptime: '15s',
    timezone: 'UTC',
    log_line_prefix: '%m [%p] %q%u@%d ',
    ...options.settings,
  };
  const url = urlsOf({ host: '127.0.0.1', port, password });
  const farewell = { signal: stopSignals.fast, graceMs: 20_000 };
  const group = createGroup({
    name: 'postgres',
    onEvent: options.onEvent,
    probe: () => answers(url()),
    members: [
      {
        role: 'server',
        whenAnotherDies: farewell,
        whenStopped: farewell,
        spec: () => ({
          name: 'postgres',
          command: join(cluster.bin, 'postgres'),
          args: [
            '-D',
            cluster.directory,
            ...Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`]),
          ],
          cwd: cluster.directory,
          env: { PATH: process.env['PATH'] },
          logFile: join(home.logs, 'postgres.server.log'),
          mark: cluster.directory,
          owner: cluster.owner,
          orphanSignal: 'SIGINT',
        }),
      },
    ],
  });
  return { major: cluster.major, group, url };
}

/** Connection strings of the server at an address, whose superuser has this password. */
export const urlsOf =
  ({ host, port, password }: { host: string; port: number; password: string }): Postgres['url'] =>
  (database = 'postgres', role = { name: 'postgres', password }) =>
    `postgres://${role.name}:${encodeURIComponent(role.password)}@${host}:${port}/${database}`;

async function answers(url: string): Promise<boolean> {
  const work = async (client: pg.Client) => (await client.query('select 1')).rowCount === 1;
  return withClient(url, work, { connectMs: 2_000 });
}

/** Opens a connection for some work and closes it; it has to be there within `connectMs`. */
export async function withClient<T>(
  url: string,
  work: (client: pg.Client) => Promise<T>,
  { connectMs = 15_000 } = {},
): Promise<T> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: connectMs });
  // A server that goes away is reported by the query as well; without a listener it would end this process.
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
