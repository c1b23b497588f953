import { execFile, execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, chown, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { findPostgres } from '../setup/locate.mjs';
import type { Home } from './home.ts';
import type { Owner } from './process.ts';
import { UserError } from './user-error.ts';

/** A PostgreSQL cluster on disk, the programs that fit it, and whom they must run as. */
export interface Cluster {
  readonly directory: string;
  readonly bin: string;
  readonly major: number;
  readonly owner: Owner | undefined;
}

const pointerFile = (home: Home) => join(home.data, 'postgres-location');

/** PostgreSQL refuses to run as root; its package brings a user for it. */
function unprivilegedOwner(): Owner | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const id = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8', stdio: 'pipe' }));
  try {
    return { uid: id('-u'), gid: id('-g') };
  } catch {
    throw new UserError(
      'PostgreSQL does not run as root, and there is no user postgres to run it as. Start this as another user.',
    );
  }
}

/** Whether the owner may pass through the folder and all above it. */
export async function isReachable(folder: string, owner: Owner): Promise<boolean> {
  const { mode, uid, gid } = await stat(folder);
  const bit = uid === owner.uid ? 0o100 : gid === owner.gid ? 0o010 : 0o001;
  if ((mode & bit) === 0) return false;
  return dirname(folder) === folder || isReachable(dirname(folder), owner);
}

/** Where the home's cluster is, if it has one: in its data folder, or where the pointer file says. */
export async function clusterLocation(home: Home): Promise<string> {
  const elsewhere = await readFile(pointerFile(home), 'utf8').catch(() => undefined);
  return elsewhere?.trim() ?? join(home.data, 'postgres');
}

const versionFile = (location: string) => join(location, 'cluster', 'PG_VERSION');

/** Whether the home has a cluster already. */
export async function hasCluster(home: Home): Promise<boolean> {
  return readFile(versionFile(await clusterLocation(home))).then(
    () => true,
    () => false,
  );
}

async function chooseLocation(home: Home, owner: Owner | undefined): Promise<string> {
  const known = await clusterLocation(home);
  if (!owner || dirname(known) !== home.data || (await isReachable(home.data, owner))) return known;
  // Under a private folder such as /root: the data goes where the database's user can reach it, and we note where.
  const elsewhere = join('/var/tmp', `sidecart-postgres-${randomBytes(6).toString('hex')}`);
  await writeFile(pointerFile(home), `${elsewhere}\n`);
  return elsewhere;
}

/** Finds the home's cluster, or makes one: scram passwords only, UTF-8, and the newest PostgreSQL of this machine. */
export async function ensureCluster(home: Home, password: string): Promise<Cluster> {
  const owner = unprivilegedOwner();
  const location = await chooseLocation(home, owner);
  const directory = join(location, 'cluster');
  const found = findPostgres();
  const existing = await readFile(versionFile(location), 'utf8').catch(() => undefined);
  const program = existing === undefined ? found[0] : found.find(({ major }) => major === Number(existing));
  if (!program) {
    const have = found.map(({ major }) => major).join(', ') || 'none';
    throw new UserError(
      existing === undefined
        ? 'PostgreSQL 13 or later is needed, and none was found. `make up` installs it where there is apt.'
        : `the data in ${directory} belongs to PostgreSQL ${existing.trim()}; found: ${have}. Install that version, or drop the data with \`make reset\`.`,
    );
  }
  const cluster = { directory, ...program, owner };
  if (existing === undefined) await createCluster(cluster, location, password);
  return cluster;
}

async function createCluster(cluster: Cluster, location: string, password: string): Promise<void> {
  // What an interrupted attempt has left is no cluster.
  await rm(location, { recursive: true, force: true });
  await mkdir(location, { recursive: true });
  await chmod(location, 0o700);
  const passwordFile = join(location, 'password');
  await writeFile(passwordFile, password, { mode: 0o600 });
  if (cluster.owner) {
    await chown(location, cluster.owner.uid, cluster.owner.gid);
    await chown(passwordFile, cluster.owner.uid, cluster.owner.gid);
  }
  const unfinished = `${cluster.directory}.unfinished`;
  const args = ['-D', unfinished, '-U', 'postgres', `--pwfile=${passwordFile}`, '--auth=scram-sha-256', '-E', 'UTF8'];
  try {
    await promisify(execFile)(join(cluster.bin, 'initdb'), [...args, '--locale=C'], {
      cwd: location,
      env: { PATH: process.env['PATH'] },
      ...cluster.owner,
    });
  } catch (error) {
    throw new UserError(`PostgreSQL's initdb failed in ${location}: ${error instanceof Error ? error.message : '?'}`);
  } finally {
    await rm(passwordFile, { force: true });
  }
  // Only a whole cluster has the name that is looked for.
  await rename(unfinished, cluster.directory);
}

/** Removes the home's cluster; it must not run. */
export async function dropCluster(home: Home): Promise<void> {
  await rm(await clusterLocation(home), { recursive: true, force: true });
  await rm(pointerFile(home), { force: true });
}
