// Makes, migrates and seeds the databases of a mesh in containers; repeatable: node tools/compose/databases.ts
import { connectionAdvice, databaseUrls } from '../connections.ts';
import { prepareDatabases, servicesWithDatabase } from '../mesh/databases.ts';
import { homeAt, repository } from '../mesh/home.ts';
import { readSecrets } from '../mesh/secrets.ts';

try {
  const secrets = (await readSecrets(homeAt(repository).secretsFile)) ?? {};
  const services = await servicesWithDatabase(repository);
  const postgres = { url: await databaseUrls(repository) };
  const { migrations } = await prepareDatabases({ root: repository, postgres, secrets, services });
  console.log(`${services.length} databases, ${migrations === 0 ? 'up to date' : `${migrations} migrations applied`}`);
} catch (error) {
  const advice = connectionAdvice(error);
  if (advice === undefined) throw error;
  console.error(advice);
  process.exitCode = 1;
}
