// PostgreSQL, Redis, Docker and the tests' browser from the system's packages, where they are missing.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import process from 'node:process';
import { findChromium, findDocker, findDockerd, findPostgres, findRedis } from './locate.mjs';
import { run, say, task } from './task.mjs';

// Installing a server package starts that server; the mesh runs its own instances, on other ports, with its own data.
const script = `
set -e
if [ ! -e /usr/sbin/policy-rc.d ]; then
  trap 'rm -f /usr/sbin/policy-rc.d' EXIT
  trap 'exit 130' INT TERM
  printf '#!/bin/sh\\nexit 101\\n' > /usr/sbin/policy-rc.d
  chmod 755 /usr/sbin/policy-rc.d
fi
export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
install() { apt-get install -q -y --no-install-recommends "$@"; }
install "$@" || { apt-get update -q && install "$@"; }
# From Debian 13 on, Docker's client is a package of its own.
case " $* " in *' docker.io '*) command -v docker >/dev/null || install docker-cli ;; esac
`;

const succeeds = (command, ...args) => {
  try {
    execFileSync(command, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};

const words = {
  postgresql: 'PostgreSQL 13 or later',
  'redis-server': 'Redis 6 or later',
  chromium: 'Chromium',
  'docker.io': 'Docker',
};

/** The packages that have to be installed; the browser, and letters for it, only for tests. */
export function missingPackages(forTests = false) {
  return [
    ...(findPostgres().length === 0 ? ['postgresql'] : []),
    ...(findRedis() ? [] : ['redis-server']),
    ...(forTests && !findChromium() ? ['chromium', 'fonts-dejavu-core'] : []),
  ];
}

const commandExists = (name) => succeeds('sh', '-c', 'PATH=$PATH:/usr/sbin:/sbin; command -v "$1"', 'sh', name);

/**
 * The packages for the mesh in containers. An engine that is reached by DOCKER_HOST or a socket need not be installed here; what
 * makes stand-ins for images is only wanted where apt can install it.
 */
export function missingContainerPackages() {
  if (process.platform !== 'linux') return [];
  const elsewhere = Boolean(process.env['DOCKER_HOST']) || existsSync('/var/run/docker.sock');
  const engine = findDockerd() || elsewhere;
  const forStandIns = { debootstrap: 'debootstrap', 'xz-utils': 'xz' };
  return [
    ...(engine && findDocker() ? [] : ['docker.io']),
    ...(elsewhere || commandExists('iptables') ? [] : ['iptables']),
    ...(commandExists('apt-get') ? Object.keys(forStandIns).filter((name) => !commandExists(forStandIns[name])) : []),
  ];
}

/** Why the packages cannot be installed here, in one line, or undefined. */
export function obstacle(packages) {
  if (packages.length === 0) return undefined;
  const known = packages.flatMap((name) => words[name] ?? []);
  const names = (known.length > 0 ? known : packages).join(' and ');
  if (!succeeds('apt-get', '--version')) {
    return `${names} must be installed, and there is no apt here to do it. Install with your system's packages, then run this again.`;
  }
  if (process.getuid?.() === 0) return undefined;
  const mayAsk = process.stdin.isTTY && (existsSync('/usr/bin/sudo') || existsSync('/usr/local/bin/sudo'));
  if (mayAsk || succeeds('sudo', '-n', 'true')) return undefined;
  return `${names} must be installed, which needs an administrator: apt-get install ${packages.join(' ')}`;
}

/** Installs the packages through apt, with sudo unless we are root; their own servers are not started. */
export async function installSystemPackages(packages) {
  if (packages.length === 0) return;
  const args = ['-c', script, 'sh', ...packages];
  const root = process.getuid?.() === 0;
  if (!root) {
    say(`  ${packages.join(' and ')} will be installed with sudo apt-get.`);
    // Asked here, where nothing draws over the prompt.
    execFileSync('sudo', ['-v'], { stdio: 'inherit' });
  }
  await task(`system packages ${packages.join(', ')}`, () => (root ? run('sh', args) : run('sudo', ['sh', ...args])));
  say('  Their own services were not started: the mesh runs what it needs of them, with its data under .data.');
}
