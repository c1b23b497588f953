// The Go service that takes fulfillment's place in a test. Built here, because the first time Go has to download for it.
import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import process from 'node:process';
import { findGo } from './locate.mjs';
import { run, say, task } from './task.mjs';

const source = 'services/_e2e/stranger';
const program = resolve('.data/bin/stranger');

/** Whether the program is as its sources are. */
export function strangerIsBuilt() {
  if (!existsSync(program)) return false;
  const built = statSync(program).mtimeMs;
  return readdirSync(source).every((name) => statSync(join(source, name)).mtimeMs < built);
}

/** Builds it unless that is done, and gives its path. */
export async function buildStranger() {
  if (strangerIsBuilt()) return program;
  if (!existsSync(program))
    say('  The Go service of the tests is built from source; the first time that takes a minute or two.');
  mkdirSync(dirname(program), { recursive: true });
  const env = { ...process.env, CGO_ENABLED: '0' };
  await task('building the Go service of the tests', () =>
    run(findGo()?.path ?? 'go', ['build', '-o', program, '.'], { cwd: source, env }),
  );
  return program;
}
