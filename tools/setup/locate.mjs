// Where the programs are that the mesh and its containers are made of: what the machine already has at a suitable version, else ours.
// Plain JavaScript for Node 20, because setup runs before anything is installed; the launcher reads the same answers.
import { execFileSync } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import process from 'node:process';

/** What is built when the machine has none. */
export const pinned = { daprd: '1.18.1', sentry: '1.18.1', dapr: '1.16.5', k6: '2.1.0', compose: '5.5.0' };

/** Where built programs are kept: outside any work tree, so that another clone finds them. */
export function binariesDirectory() {
  return join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'sidecart', 'bin');
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function inPath(name) {
  const directories = (process.env['PATH'] ?? '').split(delimiter).filter(Boolean);
  // /usr/sbin is not in everybody's PATH.
  return [...directories, '/usr/bin', '/usr/sbin', '/usr/local/bin'].map((dir) => join(dir, name)).find(isExecutable);
}

function versionOf(path, pattern, ...args) {
  try {
    const output = execFileSync(path, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], timeout: 20_000 });
    return pattern.exec(output)?.[1];
  } catch {
    return undefined;
  }
}

function built(name) {
  const path = join(binariesDirectory(), `${name}-${pinned[name]}`);
  return isExecutable(path) ? { path, version: pinned[name] } : undefined;
}

/** A daprd 1.18 that `dapr init` left, else the one built by setup, else undefined. */
export function findDaprd() {
  const path = join(homedir(), '.dapr', 'bin', 'daprd');
  const version = isExecutable(path) ? versionOf(path, /^(1\.18\.\d+)/m, '--version') : undefined;
  return version === undefined ? built('daprd') : { path, version };
}

/** The Sentry built by setup, or undefined: `dapr init` leaves none outside of its container. */
export function findSentry() {
  return built('sentry');
}

/** The dapr CLI 1.16 or later of this machine, else the one built by setup, else undefined. */
export function findDapr() {
  const path = inPath('dapr');
  const version = path && versionOf(path, /CLI version: (1\.(?:1[6-9]|[2-9]\d)\.\d+)/, '--version');
  return path && version ? { path, version } : built('dapr');
}

/** The k6 built by setup for the benches, or undefined: its figures are only comparable with the same version. */
export function findK6() {
  return built('k6');
}

/** The docker client of this machine, or undefined. */
export function findDocker() {
  const path = inPath('docker');
  const version = path && versionOf(path, /Docker version (\d+\.\d+\.\d+)/, '--version');
  return path && version ? { path, version } : undefined;
}

/** The Docker engine's program, whether it runs or not, or undefined. */
export function findDockerd() {
  const path = inPath('dockerd');
  const version = path && versionOf(path, /Docker version (\d+\.\d+\.\d+)/, '--version');
  return path && version ? { path, version } : undefined;
}

/** How to run Docker Compose: this machine's plugin of 2.30 or later, else the program built by setup, else undefined. */
export function findCompose() {
  const docker = inPath('docker');
  const version = docker && versionOf(docker, /^v?(\d+\.\d+\.\d+)/, 'compose', 'version', '--short');
  const [major = 0, minor = 0] = (version ?? '').split('.').map(Number);
  if (docker && version && (major > 2 || (major === 2 && minor >= 30))) {
    return { path: docker, version, args: ['compose'] };
  }
  const own = built('compose');
  return own && { ...own, args: [] };
}

/** Each PostgreSQL 13 or later, newest first: its folder of programs and its major version. */
export function findPostgres() {
  const fromPath = inPath('initdb');
  const folders = ['/usr/lib/postgresql', '/usr/pgsql'].flatMap((root) =>
    existsSync(root) ? readdirSync(root).map((version) => join(root, version, 'bin')) : [],
  );
  return [...(fromPath ? [join(fromPath, '..')] : []), ...folders]
    .filter((bin) => isExecutable(join(bin, 'initdb')) && isExecutable(join(bin, 'postgres')))
    .map((bin) => ({ bin, major: Number(versionOf(join(bin, 'postgres'), /\(PostgreSQL\) (\d+)/, '--version')) }))
    .filter(({ major }) => major >= 13)
    .sort((a, b) => b.major - a.major);
}

/** A Redis server 6 or later, or undefined. */
export function findRedis() {
  const path = inPath('redis-server');
  const version = path && versionOf(path, /v=(\d+\.\d+\.\d+)/, '--version');
  return path && version && Number(version.split('.')[0]) >= 6 ? { path, version } : undefined;
}

/** The Chromium that tests of pages drive, or undefined. */
export function findChromium() {
  const path = inPath('chromium') ?? inPath('chromium-browser') ?? inPath('google-chrome');
  const version = path && versionOf(path, /(?:Chromium|Chrome) (\d+[.\d]*)/, '--version');
  return path && version ? { path, version } : undefined;
}

/** Go's version as `1.26.8`, or undefined where there is no Go. */
export function findGo() {
  const path = inPath('go') ?? (isExecutable('/usr/local/go/bin/go') ? '/usr/local/go/bin/go' : undefined);
  const version = path && versionOf(path, /go version go(\d+\.\d+(?:\.\d+)?)/, 'version');
  return path && version ? { path, version } : undefined;
}
