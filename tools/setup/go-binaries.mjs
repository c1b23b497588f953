// daprd, Sentry, the dapr CLI, Docker Compose and the load generator of the benches, built from the Go module proxy with pinned
// modules where the machine has no suitable ones.
import { existsSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import { binariesDirectory, findCompose, findDapr, findDaprd, findGo, findK6, findSentry, pinned } from './locate.mjs';
import { run, say, task } from './task.mjs';

const goNeeded = [1, 26, 6];

const recipes = {
  daprd: {
    module: 'tools/modules/dapr',
    package: 'github.com/dapr/dapr/cmd/daprd',
    // Without a tag daprd panics; the smaller set lacks the name resolver that the mesh uses.
    tags: ['-tags', 'allcomponents'],
    variables: ['github.com/dapr/dapr/pkg/buildinfo.version', 'github.com/dapr/kit/logger.DaprVersion'],
  },
  // The same module and tags as daprd, so that all but its own packages are compiled already.
  sentry: {
    module: 'tools/modules/dapr',
    package: 'github.com/dapr/dapr/cmd/sentry',
    tags: ['-tags', 'allcomponents'],
    variables: ['github.com/dapr/dapr/pkg/buildinfo.version', 'github.com/dapr/kit/logger.DaprVersion'],
  },
  dapr: {
    module: 'tools/modules/dapr-cli',
    package: 'github.com/dapr/cli',
    tags: [],
    variables: ['main.version'],
    more: ['-X main.apiVersion=1.0'],
  },
  k6: { module: 'tools/modules/k6', package: 'go.k6.io/k6/v2', tags: [], variables: [] },
  compose: {
    module: 'tools/modules/compose',
    package: 'github.com/docker/compose/v5/cmd',
    tags: [],
    variables: ['github.com/docker/compose/v5/internal.Version'],
  },
};

const finders = { daprd: findDaprd, sentry: findSentry, dapr: findDapr, k6: findK6, compose: findCompose };

/** Which of these programs have to be built. */
export function missingBinaries(wanted) {
  return wanted.filter((name) => !finders[name]());
}

/** Why they cannot be built here, in one line, or undefined. */
export function goObstacle(names) {
  if (names.length === 0) return undefined;
  const go = findGo();
  const parts = (go?.version ?? '0').split('.').map(Number);
  const differs = goNeeded.findIndex((part, index) => (parts[index] ?? 0) !== part);
  if (differs === -1 || (parts[differs] ?? 0) > goNeeded[differs]) return undefined;
  return `Go ${goNeeded.join('.')} or later is needed to build ${names.join(' and ')} (found: ${go?.version ?? 'none'}). Install it from https://go.dev/dl, or run 'dapr init' for a daprd 1.18, then run this again.`;
}

async function build(name) {
  const target = join(binariesDirectory(), `${name}-${pinned[name]}`);
  const unfinished = `${target}.${process.pid}.tmp`;
  const { module, package: source, tags, variables, more = [] } = recipes[name];
  const flags = ['-s -w', ...variables.map((variable) => `-X ${variable}=${pinned[name]}`), ...more].join(' ');
  let compiled = 0;
  const onLine = (line) => {
    if (/^[\w.-]+(\/|$)/.test(line)) compiled += 1;
  };
  const detail = () => (compiled > 0 ? `${compiled} packages compiled` : '');
  try {
    const args = ['build', '-v', ...tags, '-ldflags', flags, '-o', unfinished, source];
    const env = { ...process.env, CGO_ENABLED: '0' };
    await task(
      `building ${name} ${pinned[name]}`,
      () => run(findGo().path, args, { cwd: module, env, onLine }),
      detail,
    );
    renameSync(unfinished, target);
  } finally {
    rmSync(unfinished, { force: true });
  }
}

const isAlive = (pid) => {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
};

// Two clones that are set up at the same time build once. The lock appears with its content, by a link.
async function locked(work) {
  mkdirSync(binariesDirectory(), { recursive: true });
  const lock = join(binariesDirectory(), '.building');
  const mine = `${lock}.${process.pid}`;
  writeFileSync(mine, String(process.pid));
  try {
    for (let waiting = false; ; waiting = true) {
      try {
        linkSync(mine, lock);
        break;
      } catch {
        const holder = Number(existsSync(lock) ? readFileSync(lock, 'utf8') : 0);
        if (holder > 0 && !isAlive(holder)) rmSync(lock, { force: true });
        else if (!waiting) say(`  Another setup (pid ${holder}) is building; waiting for it.`);
        await delay(500);
      }
    }
    try {
      return await work();
    } finally {
      rmSync(lock, { force: true });
    }
  } finally {
    rmSync(mine, { force: true });
  }
}

/** Builds what is missing, once for this user, and says beforehand what it costs. */
export async function buildBinaries(wanted) {
  if (missingBinaries(wanted).length === 0) return;
  await locked(async () => {
    const names = missingBinaries(wanted);
    if (names.length === 0) return;
    say(`  ${names.join(' and ')} will be built from source into ${binariesDirectory()}.`);
    const long = names.includes('daprd') ? 'up to 8 minutes' : 'a minute or two each';
    say(`  That takes ${long} on two cores, once; other clones of this repository use the same programs.`);
    for (const name of names) await build(name);
    say(
      `  Go keeps about 8 GB of sources and build results; 'go clean -cache -modcache' drops them when you don't need them.`,
    );
  });
}
