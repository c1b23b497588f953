import Docker from 'dockerode';
import { isMiscounted, ofProject, startedTwice } from '../compose/containers.ts';
import { compose, ensureEngine, runCompose, type Engine } from '../compose/engine.ts';
import { UserError } from '../mesh/user-error.ts';
import { run } from './run-program.ts';
import { together, type Tally } from './tally.ts';

// Beside whatever mesh this machine has: its own names and its own ports.
const project = 'sidecart-test';
const url = 'http://127.0.0.1:18080';
const env = {
  COMPOSE_PROJECT_NAME: project,
  EDGE_PORT: '18080',
  EDGE_TLS_PORT: '18443',
  PUBLIC_URL: url,
  EDGE_URL: url,
};

/**
 * The mesh in containers: the images are built (out of stand-ins where none can be pulled), it comes up whole, passes its
 * suite from inside and what is done to it from outside (`pullApart`), and goes without leaving anything.
 */
export async function containerTests(
  pullApart: (env: Readonly<Record<string, string>>) => Promise<Tally>,
): Promise<Tally> {
  const tallies: Tally[] = [];
  const step = async (name: string, work: () => Promise<unknown>): Promise<boolean> => {
    const from = Date.now();
    const failure = await work().then(
      () => undefined,
      (error: unknown) => (error instanceof UserError ? error.message : error instanceof Error ? error.stack : '?'),
    );
    const passed = failure === undefined;
    console.log(`${passed ? 'ok    ' : 'NOT OK'} ${name}, ${Math.round((Date.now() - from) / 1_000)} s`);
    const names = passed ? [] : [`containers > ${name}: ${failure}`];
    tallies.push({ passed: passed ? 1 : 0, failed: passed ? 0 : 1, names });
    return passed;
  };

  let engine: Engine | undefined;
  const docker = new Docker();
  try {
    const isUp =
      (await step('an engine answers', async () => void (engine = await ensureEngine()))) &&
      (await step('the public images are there', () => twice(() => provideImages(docker)))) &&
      (await step('our images are built', () =>
        twice(() => compose(['--profile', 'cicd', 'build', '--quiet'], { env })),
      )) &&
      (await step('the mesh comes up', () => compose(['up', '-d', '--wait'], { env }))) &&
      (await step('no container had to be started twice', () => noneRestarted(docker)));
    if (!isUp) return together(tallies);
    tallies.push(await suite());
    tallies.push(await pullApart(env));
  } finally {
    if (engine) {
      const running = engine;
      await step('it goes, and leaves nothing', async () => {
        const isMiscounting = await takeDown().then(
          () => false,
          (error: unknown) => {
            if (isMiscounted(error)) return true;
            throw error;
          },
        );
        if (isMiscounting && running.started) {
          await running.stop();
          engine = await ensureEngine();
          await takeDown();
        }
        // An engine that is somebody else's we can't start anew.
        await nothingLeft(docker, { networks: running.started || !isMiscounting });
      });
      await step('the engine ends, if it was started', () => engine?.stop() ?? Promise.resolve());
    }
  }
  return together(tallies);
}

const takeDown = () => compose(['--profile', '*', 'down', '--volumes', '--remove-orphans'], { env });

/** Once more where it fails: what it had got over the network stays. */
const twice = <T>(work: () => Promise<T>): Promise<T> => work().catch(work);

/** Real images where they can be had; elsewhere stand-ins out of packages. */
async function provideImages(docker: Docker): Promise<void> {
  const smallest = 'busybox:1.37.0';
  const isThere = () =>
    docker
      .getImage(smallest)
      .inspect()
      .then(
        () => true,
        () => false,
      );
  if (!(await isThere())) await run('docker', ['pull', '--quiet', smallest]);
  if (!(await isThere()) || (await isStandIn(docker, smallest))) {
    if ((await run('sh', ['scripts/offline-images.sh'])) !== 0)
      throw new UserError('the stand-ins for the public images could not be built; what was said is above');
  }
}

const isStandIn = async (docker: Docker, image: string) =>
  (await docker.getImage(image).inspect()).Config.Labels?.['dev.sidecart.stand-in'] === 'true';

async function noneRestarted(docker: Docker): Promise<void> {
  const restarted = await startedTwice(docker, project);
  if (restarted.length > 0) throw new UserError(restarted.join(', '));
}

async function nothingLeft(docker: Docker, looked: { networks: boolean }): Promise<void> {
  const [containers, networks, { Volumes }] = await Promise.all([
    docker.listContainers({ all: true, ...ofProject(project) }),
    looked.networks ? docker.listNetworks(ofProject(project)) : [],
    docker.listVolumes(ofProject(project)),
  ]);
  const left = [
    ...containers.flatMap(({ Names }) => Names),
    ...networks.map(({ Name }) => Name),
    ...Volumes.map(({ Name }) => Name),
  ];
  if (left.length > 0) throw new UserError(`left behind: ${left.join(', ')}`);
}

/** The end-to-end suite in a container beside the mesh, as the profile `cicd` runs it; its last line is its tally. */
async function suite(): Promise<Tally> {
  const { output: text, complaints } = await runCompose(['--profile', 'cicd', 'run', '--rm', '-T', 'suite'], { env });
  console.log(text);
  const [, passed, failed] = /^ *(\d+) passed, (\d+) failed$/m.exec(text) ?? [];
  if (passed === undefined) return { passed: 0, failed: 1, names: [`containers > suite: ${complaints.slice(-2_000)}`] };
  const said = /\nfailed:\n([^]*?)\n\nin \d+ s/.exec(text)?.[1];
  return { passed: Number(passed), failed: Number(failed), names: said === undefined ? [] : [said] };
}
