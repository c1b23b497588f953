import { bookkeepers, type Bookkeeper, type Databases } from './audit/books.ts';
import { servicesWithDatabase } from './mesh/databases.ts';
import { homeAt, repository } from './mesh/home.ts';
import { urlsOf, type Postgres } from './mesh/postgres.ts';
import { readSecrets, secretNamed } from './mesh/secrets.ts';
import { UserError } from './mesh/user-error.ts';
import { readContracts } from './service-contracts.ts';

// Beside a mesh in containers it is another.
const { DATABASE_HOST: host = '127.0.0.1', DATABASE_PORT: port = '15432' } = process.env;

/**
 * How a tool reaches the databases of the mesh whose home folder this is: as the superuser, because it looks into all of
 * them. Fails with what to do where there is no mesh.
 */
export async function databaseUrls(home: string): Promise<Postgres['url']> {
  const { root, secretsFile } = homeAt(home);
  const secrets = await readSecrets(secretsFile);
  if (!secrets) throw new UserError(`there is no mesh in ${root}: \`make up\` first`);
  return urlsOf({ host, port: Number(port), password: secretNamed(secrets, 'postgresPassword') });
}

/** The same, for each of the services that keep books: the bank, and whoever has a contract and a database. */
export async function databasesOf(home: string): Promise<Databases> {
  const url = await databaseUrls(home);
  const contracted = (await readContracts()).map((contract) => contract.service);
  const messengers = (await servicesWithDatabase(repository)).filter((service) => contracted.includes(service));
  const services = new Set<string>([...bookkeepers, ...messengers]);
  return Object.fromEntries([...services].map((service) => [service, url(service)])) as Record<Bookkeeper, string>;
}

const unreachable = new Set(['ECONNREFUSED', 'ECONNRESET', 'ETIMEDOUT', '57P01', '57P03']);

/** Says in one line what a user can do about a failure to reach the databases; undefined for any other failure. */
export function connectionAdvice(error: unknown): string | undefined {
  if (error instanceof UserError) return error.message;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (unreachable.has(code)) return `PostgreSQL does not answer on ${host}:${port}: \`make up\` first`;
  if (code === '3D000') return 'a database is missing: `make up` makes, migrates and seeds them';
  if (code === '28P01')
    return 'PostgreSQL does not take the password of .data/secrets.json: is this the right home folder? (In containers its data is older than the secrets: docker compose down -v drops both.)';
  if (code === '42P01') return `a table is missing (${String(error)}): \`make up\` migrates`;
  return undefined;
}
