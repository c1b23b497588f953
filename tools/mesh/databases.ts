import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type pg from 'pg';
import { z } from 'zod';
import { randomBytes } from 'node:crypto';
import { queryableOver } from '../../services/_chassis/database.ts';
import { migrate } from '../../services/_chassis/migrate.ts';
import { ensureRoles, giveToOwner, migratorOf, ownerOf } from '../../services/_chassis/tenancy.ts';
import { withClient, type Postgres } from './postgres.ts';
import { secretNamed, type Secrets } from './secrets.ts';
import { serviceFolders } from './service-folders.ts';
import { UserError } from './user-error.ts';

/** Puts in what a fresh mesh begins with; `secret` gives one of the machine's. */
type Seed = (client: pg.ClientBase, secret: (name: string) => string) => Promise<void>;
const seedModule = z.object({ seed: z.custom<Seed>((value) => typeof value === 'function') });

const exists = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  );

/** The services below a project root that own a database: those with migrations. */
export async function servicesWithDatabase(root: string): Promise<string[]> {
  const names = await serviceFolders(root);
  const owning = await Promise.all(names.map((name) => exists(join(root, 'services', name, 'migrations'))));
  return names.filter((_, index) => owning[index]);
}

/** The name of the secret that holds a service's database password. */
export const passwordName = (service: string) => `${service}DatabasePassword`;

/**
 * Gives each service its roles and its database, which no other service's may connect to, then migrates and seeds them all
 * at once, each as its owner: the service's own role owns nothing, and sees of each table the rows of one tenant. What
 * earlier versions made is given to the owner. Repeatable. Gives how many migrations were applied.
 */
export async function prepareDatabases(options: {
  root: string;
  postgres: Pick<Postgres, 'url'>;
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

async function prepareOne(
  folder: string,
  service: string,
  postgres: Pick<Postgres, 'url'>,
  secrets: Secrets,
): Promise<number> {
  // The migrator can log in only now, with a password that nobody keeps.
  const password = randomBytes(24).toString('base64url');
  const migrator = migratorOf(service);
  return withClient(postgres.url(service), async (admin) => {
    const name = admin.escapeIdentifier(migrator);
    await giveToOwner(queryableOver(admin), service);
    await admin.query(`alter role ${name} login password ${admin.escapeLiteral(password)}`);
    try {
      return await withClient(postgres.url(service, { name: migrator, password }), async (client) => {
        await client.query(`set role ${client.escapeIdentifier(ownerOf(service))}`);
        return migrateAndSeed(client, folder, service, secrets);
      });
    } finally {
      await admin.query(`alter role ${name} nologin password null`);
    }
  });
}

async function migrateAndSeed(client: pg.Client, folder: string, service: string, secrets: Secrets): Promise<number> {
  const names = await migrate(client, join(folder, 'migrations'), service);
  const seedFile = join(folder, 'seed.ts');
  if (await exists(seedFile)) {
    const { seed } = seedModule.parse(await import(pathToFileURL(seedFile).href));
    await seed(client, (name) => secretNamed(secrets, name));
    // Statements are planned once a connection: without statistics each would go on reading whatever was read first.
    await client.query('analyze');
  }
  return names.length;
}

async function createRolesAndDatabases(
  client: pg.Client,
  secrets: Secrets,
  services: readonly string[],
): Promise<void> {
  const names = async (sql: string) => new Set((await client.query<{ name: string }>(sql)).rows.map((row) => row.name));
  const databases = await names('select datname as name from pg_database');
  await client.query('revoke connect on database postgres, template1 from public');
  for (const service of services) {
    const name = client.escapeIdentifier(service);
    const [owner, migrator] = [ownerOf(service), migratorOf(service)].map((role) => client.escapeIdentifier(role));
    await ensureRoles(queryableOver(client), service, secretNamed(secrets, passwordName(service)));
    // Before anything is granted: a new owner takes over what the old one was allowed.
    await client.query(
      `${databases.has(service) ? `alter database ${name} owner to` : `create database ${name} owner`} ${owner}`,
    );
    await client.query(`revoke all on database ${name} from public`);
    await client.query(`grant connect on database ${name} to ${name}, ${migrator}`);
  }
}
