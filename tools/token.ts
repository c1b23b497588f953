// Prints a signed development token: node tools/token.ts user=1 role=customer[,staff] [tenant=main]
import { homeAt, repository } from './mesh/home.ts';
import { readSecrets } from './mesh/secrets.ts';
import { developmentToken } from './mesh/sign.ts';

const values = new Map(process.argv.slice(2).map((arg) => [arg.split('=')[0], arg.slice(arg.indexOf('=') + 1)]));
const user = values.get('user');
const roles = (values.get('role') ?? '').split(',').filter(Boolean);
const fail = (message: string) => {
  process.stderr.write(`${message}\n`);
  process.exit(1);
};

if (!user || roles.length === 0) fail('say for whom: make token user=1 role=customer (or staff, or warehouse)');
const secrets = await readSecrets(homeAt(repository).secretsFile);
if (!secrets) fail('there is no key to sign with yet: `make up` generates it');
const token = await developmentToken(secrets ?? {}, {
  user: user ?? '',
  roles,
  tenant: values.get('tenant') || undefined,
});
process.stdout.write(`${token}\n`);
