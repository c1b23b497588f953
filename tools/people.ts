// Prints the seeded people and the password that they share: node tools/people.ts
import { homeAt, repository } from './mesh/home.ts';
import { people, peoplePassword } from './mesh/people.ts';
import { readSecrets, secretNamed } from './mesh/secrets.ts';
import { table } from './mesh/terminal.ts';
import { UserError } from './mesh/user-error.ts';

try {
  const password = secretNamed((await readSecrets(homeAt(repository).secretsFile)) ?? {}, peoplePassword);
  const rows = people.map(({ id, name, email, roles }) => [id, name, email, roles.join(', '), password]);
  console.log(table([['id', 'name', 'e-mail', 'roles', 'password'], ...rows]));
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
