// Checks the prerequisites all at once, then installs what is missing. Started by setup.sh.
import process from 'node:process';
import { buildBinaries, goObstacle, missingBinaries } from './go-binaries.mjs';
import { installNodePackages } from './node-packages.mjs';
import { buildStranger, strangerIsBuilt } from './stranger.mjs';
import { installSystemPackages, missingContainerPackages, missingPackages, obstacle } from './system-packages.mjs';

// `deps`: the npm packages. `all`: what a mesh needs. `containers`: what its containers need instead. `test`: both, and what only
// tests need. `bench`: what a mesh needs and the load generator.
const [wanted = 'all'] = process.argv.slice(2);
const tests = wanted === 'test';
const containers = tests || wanted === 'containers';
const mesh = !['deps', 'containers'].includes(wanted);
const programs = [
  ...(mesh ? ['daprd', 'sentry', 'dapr'] : []),
  ...(wanted === 'bench' ? ['k6'] : []),
  ...(containers ? ['compose'] : []),
];
const packages = [...(mesh ? missingPackages(tests) : []), ...(containers ? missingContainerPackages() : [])];
const toBuild = [...missingBinaries(programs), ...(tests && !strangerIsBuilt() ? ['the Go service of the tests'] : [])];
const obstacles = [obstacle(packages), goObstacle(toBuild)].filter(Boolean);
try {
  if (obstacles.length > 0) throw new Error(obstacles.join('\n'));
  await installNodePackages();
  await installSystemPackages(packages);
  await buildBinaries(programs);
  if (tests) await buildStranger();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exit(1);
}
