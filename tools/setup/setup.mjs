// Checks the prerequisites all at once, then installs what is missing. Started by setup.sh.
import process from 'node:process';
import { buildBinaries, goObstacle, missingBinaries } from './dapr-binaries.mjs';
import { installNodePackages } from './node-packages.mjs';
import { buildStranger, strangerIsBuilt } from './stranger.mjs';
import { installSystemPackages, missingPackages, obstacle } from './system-packages.mjs';

// `deps`: the npm packages. `all`: what a mesh needs. `test` and `bench`: what only they need, too.
const [wanted = 'all'] = process.argv.slice(2);
const everything = wanted !== 'deps';
const tests = wanted === 'test';
const programs = ['daprd', 'sentry', 'dapr', ...(wanted === 'bench' ? ['k6'] : [])];
const packages = everything ? missingPackages(tests) : [];
const toBuild = [...missingBinaries(programs), ...(tests && !strangerIsBuilt() ? ['the Go service of the tests'] : [])];
const obstacles = everything ? [obstacle(packages), goObstacle(toBuild)].filter(Boolean) : [];
try {
  if (obstacles.length > 0) throw new Error(obstacles.join('\n'));
  await installNodePackages();
  await installSystemPackages(packages);
  if (everything) await buildBinaries(programs);
  if (tests) await buildStranger();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exit(1);
}
