// Signs a person in at the running mesh and prints the access token: node tools/token.ts user=1 role=customer[,…] [tenant=main]
import { homeAt, repository } from './mesh/home.ts';
import { readSecrets } from './mesh/secrets.ts';
import { signIn } from './mesh/sign-in.ts';
import { runningMesh } from './mesh/up.ts';
import { UserError } from './mesh/user-error.ts';

const values = new Map(process.argv.slice(2).map((arg) => [arg.split('=')[0], arg.slice(arg.indexOf('=') + 1)]));
const home = homeAt(repository);

async function main(): Promise<void> {
  const user = values.get('user');
  if (!user) throw new UserError('say for whom: make token user=1 role=customer (`make people` lists them)');
  // Beside a mesh in containers it is said; else it is the one of this folder.
  const url = process.env['GATEWAY_URL'] ?? (await runningMesh(home))?.gatewayUrl;
  if (url === undefined) throw new UserError('no mesh runs here: `make up` first');
  const token = await signIn(url, (await readSecrets(home.secretsFile)) ?? {}, {
    user,
    roles: (values.get('role') ?? '').split(',').filter(Boolean),
    tenant: values.get('tenant') || undefined,
  });
  process.stdout.write(`${token}\n`);
}

try {
  await main();
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
