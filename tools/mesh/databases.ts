import { access, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type pg from 'pg';
import { z } from 'zod';
import { migrate } from '../../services/_chassis/migrate.ts';
import { withClient, type Postgres } from './postgres.ts';
import { secretNamed, type Secrets } from './secrets.ts';
import { UserError } from './user-error.ts';

type Seed = (client: pg.ClientBase) => Promise<void>;
const seedModule = z.object({ seed: z.custom<Seed>((value) => typeof value === 'function') });

const exists = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  );

/** The services below a project root that own a database: those with migrations. */
export async function servicesWithDatabase(root: string): Promise<string[]> {
  const entries = await readdir(join(root, 'services'), { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory() && /^[a-z]/.test(entry.name)).map(({ name }) => name);
  const owning = await Promise.all(names.map((name) => exists(join(root, 'services', name, 'migrations'))));
  return names.filter((_, index) => owning[index]).sort();
}

/** The name of the secret that holds a service's database password. */
export const passwordName = (service: string) => `${service}DatabasePassword`;

/** The connection string of a service's own role for its own database. */
export function serviceUrl(postgres: Postgres, secrets: Secrets, service: string): string {
  return postgres.url(service, { name: service, password: secretNamed(secrets, passwordName(service)) });
}

/**
 * Gives each service its role and its database, which no other role may connect to, then migrates and seeds them all at
 * once, each as its own role. Repeatable. Gives how many migrations were applied.
 */
export async function prepareDatabases(options: {
  root: string;
  postgres: Postgres;
  secrets: Secrets;
  services: readonly string[];
}): Promise<{ migrations: number }> {
  const { postgres, secrets, services } = options;
  await withClient(postgres.url(), (client) => createRolesAndDatabases(client, secrets, services));
  const applied = await Promise.all(
    services.map((service) =>
      prepareOne(join(options.root, 'services', service), service, postgres, secrets).catch((error: unknown) => {
        throw new UserError(`the database of ${service} could not be prepared: ${reasonOf(error)}`);
      }),
    ),
  );
  return { migrations: applied.reduce((sum, count) => sum + count, 0) };
}

/** Every message of an error and its causes. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${reasonOf(error.cause)}`;
}

async function prepareOne(folder: string, service: string, postgres: Postgres, secrets: Secrets): Promise<number> {
  await withClient(postgres.url(service), async (client) => {
    await client.query(`alter schema public owner to ${client.escapeIdentifier(service)}`);
    // Before version 15 everybody could create tables here.
    await client.query('revoke create on schema public from public');
  });
  return withClient(serviceUrl(postgres, secrets, service), async (client) => {
    const names = await migrate(client, join(folder, 'migrations'));
    const seedFile = join(folder, 'seed.ts');
    if (await exists(seedFile)) {
      const { seed } = seedModule.parse(await import(pathToFileURL(seedFile).href));
      await seed(client);
      // Statements are planned once a connection: without statistics each would go on reading whatever was read first.
      await client.query('analyze');
    }
    return names.length;
  });
}

async function createRolesAndDatabases(
  client: pg.Client,
  secrets: Secrets,
  services: readonly string[],
): Promise<void> {
  const names = async (sql: string) => new Set((await client.query<{ name: string }>(sql)).rows.map((row) => row.name));
  const roles = await names('select rolname as name from pg_roles');
  const databases = await names('select datname as name from pg_database');
  await client.query('revoke connect on database postgres, template1 from public');
  for (const service of services) {
    const name = client.escapeIdentifier(service);
    const password = client.escapeLiteral(secretNamed(secrets, passwordName(service)));
    await client.query(`${roles.has(service) ? 'alter' : 'create'} role ${name} login password ${password}`);
    if (!databases.has(service)) await client.query(`create database ${name} owner ${name}`);
    await client.query(`revoke all on database ${name} from public`);
  }
}
