// Starts the mesh in containers from nothing, again and again, with data and secrets dropped before each round:
// node tools/compose/cold-starts.ts [rounds=10]. It is a project of its own, on ports of its own; the images are built before.
import Docker from 'dockerode';
import { signIn } from '../mesh/sign-in.ts';
import { table } from '../mesh/terminal.ts';
import { UserError } from '../mesh/user-error.ts';
import { placeOrder } from '../communication/events.ts';
import { createProgressLine } from '../progress-line.ts';
import { isMiscounted, secretsOfMesh, startedTwice } from './containers.ts';
import { compose, ensureEngine } from './engine.ts';
import { keepMeasured, surroundings, type ColdStarts } from './measured.ts';
import { writeMeasuredPage } from './measured-page.ts';

const url = 'http://127.0.0.1:18090';
const project = 'sidecart-cold';
const env = { COMPOSE_PROJECT_NAME: project, EDGE_PORT: '18090', EDGE_TLS_PORT: '18490', PUBLIC_URL: url };

type Round = ColdStarts['rounds'][number];

const drop = () =>
  compose(['down', '--volumes', '--remove-orphans'], { env }).catch((error: unknown) => {
    // The network stays, and the next start takes it.
    if (!isMiscounted(error)) throw error;
  });

async function round(docker: Docker): Promise<Round> {
  await drop();
  const started = performance.now();
  const seconds = () => Math.round((performance.now() - started) / 100) / 10;
  await compose(['up', '-d', '--wait', '--no-build'], { env });
  const healthySeconds = seconds();
  const secrets = await secretsOfMesh((args) => compose(args, { env }));
  const token = await signIn(url, secrets, { user: 'ada' });
  const { status } = await placeOrder(url, token);
  if (status !== 'shipped') throw new UserError(`the first order is ${status} after 30 s`);
  const shippedSeconds = seconds();
  return { healthySeconds, shippedSeconds, restarted: await startedTwice(docker, project) };
}

const count = Number(/^rounds=(\d+)$/.exec(process.argv[2] ?? 'rounds=10')?.[1] ?? 10);
const progress = createProgressLine(process.stderr);
try {
  const around = surroundings();
  const { docker } = await ensureEngine();
  await compose(['build', '--quiet'], { env });
  const rounds: Round[] = [];
  while (rounds.length < count) {
    progress.show(`cold start ${rounds.length + 1} of ${count}`);
    rounds.push(await round(docker));
  }
  progress.clear();
  await keepMeasured('cold-starts', { ...around, rounds });
  await writeMeasuredPage();
  const rows = rounds.map(({ healthySeconds, shippedSeconds, restarted }, index) => [
    `${index + 1}`,
    healthySeconds.toFixed(1),
    shippedSeconds.toFixed(1),
    restarted.join(', ') || 'none',
  ]);
  console.log(table([['round', 'healthy after s', 'first order shipped after s', 'started twice'], ...rows]));
  process.exitCode = rounds.every(({ restarted }) => restarted.length === 0) ? 0 : 1;
} catch (error) {
  progress.clear();
  if (!(error instanceof UserError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
} finally {
  await drop().catch(() => undefined);
}
