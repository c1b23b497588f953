// Makes, migrates and seeds the databases of a mesh in containers; repeatable: node tools/compose/databases.ts
import { databaseUrls } from '../connections.ts';
import { prepareDatabases, servicesWithDatabase } from '../mesh/databases.ts';
import { homeAt, repository } from '../mesh/home.ts';
import { readSecrets } from '../mesh/secrets.ts';
import { UserError } from '../mesh/user-error.ts';

try {
  const secrets = (await readSecrets(homeAt(repository).secretsFile)) ?? {};
  const services = await servicesWithDatabase(repository);
  const postgres = { url: await databaseUrls(repository) };
  const { migrations } = await prepareDatabases({ root: repository, postgres, secrets, services });
  console.log(`${services.length} databases, ${migrations === 0 ? 'up to date' : `${migrations} migrations applied`}`);
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
