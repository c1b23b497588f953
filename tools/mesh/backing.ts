import { bankPorts, createBank } from './bank.ts';
import { prepareDatabases, servicesWithDatabase } from './databases.ts';
import { ensureEdgeCertificate } from './edge-certificate.ts';
import type { Group } from './group.ts';
import type { Home } from './home.ts';
import type { Ledger } from './ledger.ts';
import { createPostgres, type Postgres } from './postgres.ts';
import { step, type Progress } from './progress.ts';
import { createRedis, type Redis } from './redis.ts';
import { createSentry, type SentryPorts } from './sentry.ts';
import { hasCluster } from './postgres-cluster.ts';
import { ensureSecrets, readSecrets, secretNamed, type Secrets } from './secrets.ts';
import { UserError } from './user-error.ts';
import { hopeless, waitUntilReady } from './wait.ts';

/** What stands behind the services, ready, with its data as the services expect it. */
export interface Backing {
  readonly secrets: Secrets;
  readonly postgres: Postgres;
  readonly redis: Redis;
  readonly sentry: Group;
}

/** A server and the port it answers on. */
export interface Server {
  readonly group: Group;
  readonly port: number;
}

export interface BackingOptions {
  readonly root: string;
  readonly home: Home;
  readonly database: { readonly host: string; readonly port: number };
  readonly postgresSettings: Readonly<Record<string, string>> | undefined;
  readonly redisPort: number;
  readonly sentryPorts: SentryPorts;
  readonly env: Readonly<Record<string, string>>;
  readonly ledger: Ledger;
  readonly report: (progress: Progress) => void;
  readonly signal: AbortSignal | undefined;
  /** Gets each server as it is started, so that a failed start can end it. */
  readonly servers: Server[];
}

/** Starts PostgreSQL, Redis and Sentry side by side, prepares the databases, then starts the bank, each until it answers. */
export async function startBacking(options: BackingOptions): Promise<Backing> {
  const { root, home, database, ledger, report } = options;
  const services = await servicesWithDatabase(root);
  await requireSecretsOfCluster(home);
  const secrets = await ensureSecrets(home.secretsFile, services);
  await ensureEdgeCertificate(home.edge);

  async function start(group: Group, port: number): Promise<void> {
    options.servers.push({ group, port });
    ledger.add(group);
    group.start();
    await waitUntilReady([group], { timeoutMs: 60_000, giveUp: () => hopeless([group], home.logs, options.signal) });
  }

  const startPostgres = async (): Promise<Postgres> => {
    const password = secretNamed(secrets, 'postgresPassword');
    const { port } = database;
    const onEvent = ledger.watch('postgres');
    const postgres = await createPostgres({ home, port, password, settings: options.postgresSettings, onEvent });
    await start(postgres.group, port);
    return postgres;
  };
  const startRedis = async (): Promise<Redis> => {
    const password = secretNamed(secrets, 'redisPassword');
    const redis = await createRedis({ home, port: options.redisPort, password, onEvent: ledger.watch('redis') });
    await start(redis.group, options.redisPort);
    return redis;
  };
  const startSentry = async (): Promise<Group> => {
    const { sentryPorts: ports } = options;
    const sentry = createSentry({ home, ports, onEvent: ledger.watch('sentry') });
    await start(sentry, ports.api);
    return sentry;
  };
  const [postgres, redis, sentry] = await allOf(
    step(report, 'PostgreSQL', startPostgres, ({ major }) => `version ${major}, port ${database.port}`),
    step(report, 'Redis', startRedis, ({ version }) => `version ${version}, port ${options.redisPort}`),
    step(report, 'Sentry', startSentry, () => `port ${options.sentryPorts.api}`),
  );
  await step(
    report,
    'databases',
    () => prepareDatabases({ root, postgres, secrets, services }),
    ({ migrations }) => `${services.length}, ${migrations === 0 ? 'up to date' : `${migrations} migrations applied`}`,
  );
  const bank = await createBank({ root, home, database, env: options.env, onEvent: ledger.watch('bank') });
  if (bank) {
    await step(
      report,
      'bank',
      () => start(bank, bankPorts.app),
      () => `port ${bankPorts.app}`,
    );
  }
  return { secrets, postgres, redis, sentry };
}

/** A cluster keeps its password; new secrets would lock us out of it. */
async function requireSecretsOfCluster(home: Home): Promise<void> {
  if ((await readSecrets(home.secretsFile)) || !(await hasCluster(home))) return;
  throw new UserError(
    `${home.secretsFile} is gone, and with it the passwords of the databases. Restore it, or drop the data with \`make reset\`.`,
  );
}

/** Waits for all, also when one fails, so that nothing is still being started afterwards. */
async function allOf<T extends readonly Promise<unknown>[]>(...work: T) {
  await Promise.allSettled(work);
  return Promise.all(work);
}
