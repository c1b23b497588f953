// Makes what a mesh in containers keeps to itself, once, and puts into each container's volume what it may know of it:
// node tools/compose/secrets.ts [folders] /secrets
import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { issue, pemOf } from '../mesh/certificates.ts';
import { passwordName, servicesWithDatabase } from '../mesh/databases.ts';
import { ensureEdgeCertificate } from '../mesh/edge-certificate.ts';
import { repository } from '../mesh/home.ts';
import { newTokens } from '../mesh/pair.ts';
import { readRunFile } from '../mesh/run-file.ts';
import { ensureSecrets, readSecrets, secretNamed, type Secrets } from '../mesh/secrets.ts';
import { isEnding } from '../mesh/sentry.ts';
import { UserError } from '../mesh/user-error.ts';
import { writeWhole } from '../mesh/whole-file.ts';
import { readContracts } from '../service-contracts.ts';
import { developerToolFiles, developerTools } from './developer-tools.ts';

const yearMs = 365 * 24 * 3_600_000;
// Whoever has a volume may read what is in it; the volumes are what keeps them apart.
const mode = 0o444;

/** The volumes, by their folders: what each of them is for says `fill`. */
const pods = async () => (await readRunFile(join(repository, 'dapr-config', 'dapr.yaml'))).map(({ id }) => id);
const tools = developerTools.map(({ name }) => name);
const ofTheMesh = ['all', 'postgres', 'redis', 'bank', 'authority', 'trust', 'edge', ...tools];

async function fill(folder: string): Promise<string> {
  const apps = await pods();
  const all = join(folder, 'all', 'secrets.json');
  const known = await readSecrets(all);
  const toolPasswords = developerTools.map(({ password }) => password);
  const secrets = await ensureSecrets(all, await servicesWithDatabase(repository), toolPasswords);
  const put = (volume: string, name: string, text: string) => write(join(folder, volume), name, text);
  const only = (names: readonly string[]) =>
    `${JSON.stringify(Object.fromEntries(names.map((name) => [name, secretNamed(secrets, name)])), undefined, 2)}\n`;

  await put('postgres', 'password', secretNamed(secrets, 'postgresPassword'));
  await put('redis', 'password', secretNamed(secrets, 'redisPassword'));
  await put('redis', 'redis.conf', redisConfiguration(secrets));
  await put('bank', 'secrets.json', only([passwordName('bank')]));
  for (const file of developerToolFiles(secrets)) await put(...file);
  const contracts = await readContracts();
  for (const app of apps) {
    const contract = contracts.find(({ service }) => service === app);
    const own = contract ? [passwordName(app), ...(contract.secrets ?? [])] : [];
    await put(app, 'secrets.json', only(['redisPassword', ...own]));
    if (!existsSync(join(folder, app, 'tokens.env'))) await put(app, 'tokens.env', tokens());
  }
  const renewed = await ensureAuthority(join(folder, 'authority'));
  await put('trust', 'ca.crt', await readFile(join(folder, 'authority', 'ca.crt'), 'utf8'));
  await ensureEdgeCertificate(join(folder, 'edge'), Date.now(), { mode, names: ['edge'] });
  return [
    known === undefined ? 'passwords and tokens were made' : 'passwords and tokens are there',
    renewed ? 'the authority of the sidecars was made' : 'so is the authority of the sidecars',
  ].join(', ');
}

/** Writes a file unless it is as it should be: sidecars read some of them whenever they are started again. */
async function write(folder: string, name: string, text: string): Promise<void> {
  const file = join(folder, name);
  if ((await readFile(file, 'utf8').catch(() => undefined)) === text) return;
  await writeWhole(file, text, mode).catch((error: unknown) => {
    throw new UserError(`${file} could not be written: is there a volume for ${folder} in compose.yaml?`, {
      cause: error,
    });
  });
}

const redisConfiguration = (secrets: Secrets) =>
  [
    'bind * -::*',
    `requirepass ${secretNamed(secrets, 'redisPassword')}`,
    'dir /data',
    'appendonly yes',
    'save ""',
    '',
  ].join('\n');

const tokens = () =>
  Object.entries(newTokens())
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');

/** A root that is forgotten as soon as it has signed, and the issuer that Sentry signs the sidecars' certificates with. */
async function ensureAuthority(folder: string): Promise<boolean> {
  if (existsSync(join(folder, 'issuer.key')) && !isEnding(folder)) return false;
  const now = Date.now();
  const validity = { now, lifetimeMs: yearMs };
  const root = await issue({ ...validity, subject: 'CN=Sidecart mesh', pathLength: 1 });
  const issuer = pemOf(await issue({ ...validity, subject: 'CN=Sidecart issuer', pathLength: 0 }, root));
  await write(folder, 'ca.crt', pemOf(root).certificate);
  await write(folder, 'issuer.crt', issuer.certificate);
  await write(folder, 'issuer.key', issuer.key);
  return true;
}

const [command = '', folder = command] = process.argv.slice(2);
try {
  if (command === 'folders') {
    for (const name of [...ofTheMesh, ...(await pods())]) await mkdir(join(folder, name), { recursive: true });
  } else {
    console.log(await fill(folder));
  }
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
