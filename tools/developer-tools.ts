// Prints where the developer tools of a mesh in containers are, and how to sign in: docker compose run --rm cli developer-tools
import { developerTools } from './compose/developer-tools.ts';
import { homeAt, repository } from './mesh/home.ts';
import { readSecrets, secretNamed } from './mesh/secrets.ts';
import { table } from './mesh/terminal.ts';
import { UserError } from './mesh/user-error.ts';

try {
  const secrets = (await readSecrets(homeAt(repository).secretsFile)) ?? {};
  const rows = developerTools.map(({ name, url, user, password }) => [name, url, user, secretNamed(secrets, password)]);
  console.log(table([['tool', 'url', 'user', 'password'], ...rows]));
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
