// Checks the prerequisites all at once, then installs what is missing. Started by setup.sh.
import process from 'node:process';
import { buildBinaries, goObstacle, missingBinaries } from './dapr-binaries.mjs';
import { installNodePackages } from './node-packages.mjs';
import { installSystemPackages, missingPackages, obstacle } from './system-packages.mjs';

const everything = process.argv[2] !== 'deps';
const programs = ['daprd', 'dapr', ...(process.argv[2] === 'bench' ? ['k6'] : [])];
const packages = everything ? missingPackages() : [];
const obstacles = everything ? [obstacle(packages), goObstacle(missingBinaries(programs))].filter(Boolean) : [];
try {
  if (obstacles.length > 0) throw new Error(obstacles.join('\n'));
  await installNodePackages();
  await installSystemPackages(packages);
  if (everything) await buildBinaries(programs);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exit(1);
}
