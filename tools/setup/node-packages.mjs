// The npm packages, Node 24 among them. What is installed is compared with the lock file itself, so no stamp can be wrong.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import process from 'node:process';
import { run, task } from './task.mjs';

const ownNode = 'node_modules/.bin/node';

const packagesOf = (file) => (existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).packages : undefined);

/** Whether node_modules holds exactly what package-lock.json names; packages for other systems may be missing. */
export function isInstalled() {
  const wanted = packagesOf('package-lock.json');
  const present = packagesOf('node_modules/.package-lock.json');
  if (!wanted || !present) return false;
  const same = (name) =>
    present[name] && ['version', 'integrity'].every((key) => present[name][key] === wanted[name][key]);
  return Object.keys(wanted).every((name) => name === '' || same(name) || (wanted[name].optional && !present[name]));
}

/** Runs `npm ci` when something is missing, and makes sure that there is a Node 24 to run with. */
export async function installNodePackages() {
  const own = Number(process.versions.node.split('.')[0]) >= 24;
  if (!isInstalled() || !(own || existsSync(ownNode))) {
    await task('npm packages', () => run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']));
    // The user's own Node is good enough: PATH then leads to it.
    if (own) rmSync(ownNode, { force: true });
  }
  if (own) return;
  try {
    execFileSync(ownNode, ['--version'], { stdio: 'ignore' });
  } catch {
    throw new Error(
      `Node.js 24 is needed to run the mesh, and the npm package of it does not run on ${process.platform} ${process.arch}. Install Node.js 24 or later, then run this again.`,
    );
  }
}
