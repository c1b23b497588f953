import type Docker from 'dockerode';
import { z } from 'zod';
import type { Secrets } from '../mesh/secrets.ts';
import { compose } from './engine.ts';

const labels = { project: 'com.docker.compose.project', service: 'com.docker.compose.service' };

/** The containers of a compose project, also those that do not run, but for those of `compose run`; of one service, if one is named. */
export function containersOf(docker: Docker, project: string, service?: string): Promise<Docker.ContainerInfo[]> {
  const named = service === undefined ? [] : [`${labels.service}=${service}`];
  const label = [`${labels.project}=${project}`, 'com.docker.compose.oneoff=False', ...named];
  return docker.listContainers({ all: true, filters: { label } });
}

/** Kills what a container runs, from inside, as a crash would: the child of init, which is 1 and can't be killed by its own. */
export const crashCommand = ['sh', '-c', 'kill -9 $(cat /proc/1/task/1/children)'];

/** Its name in compose.yaml. */
export const serviceOf = ({ Labels }: Pick<Docker.ContainerInfo, 'Labels'>): string => Labels[labels.service] ?? '';

/** What a container of the core is in the mesh; of `pod`, `app` and `sidecar` there is one for each replica of a service. */
export type Kind = 'edge' | 'pod' | 'app' | 'sidecar' | 'bank' | 'postgres' | 'redis' | 'sentry';
const alone: readonly string[] = ['edge', 'bank', 'postgres', 'redis', 'sentry'] satisfies Kind[];

/** What a container of the core is, by its name in compose.yaml. */
export function kindOf(service: string): Kind {
  if (/-pod(-\d+)?$/.test(service)) return 'pod';
  if (/-dapr(-\d+)?$/.test(service)) return 'sidecar';
  return alone.includes(service) ? (service as Kind) : 'app';
}

/** Everything of a project by one label, for what is no container: its networks, its volumes. */
export const ofProject = (project: string) => ({ filters: { label: [`${labels.project}=${project}`] } });

/** The services of a project whose containers had to be started more than once. */
export async function startedTwice(docker: Docker, project: string): Promise<string[]> {
  const found = await containersOf(docker, project);
  const states = await Promise.all(found.map(({ Id }) => docker.getContainer(Id).inspect()));
  return found.map(serviceOf).filter((_, index) => (states[index]?.RestartCount ?? 0) > 0);
}

/** Once in dozens of times an engine goes on counting who has left a network, until it is started anew (moby/moby#43286, 20.10). */
export const isMiscounted = (error: unknown): boolean =>
  error instanceof Error && error.message.includes('has active endpoints');

/** Removes a network, unless the engine miscounts who is on it. */
export async function removeNetwork(network: Docker.Network): Promise<void> {
  await network.remove().catch((error: unknown) => {
    if (!isMiscounted(error)) throw error;
  });
}

/** The secrets of a running mesh, which only its own containers can read. */
export async function secretsOfMesh(run: (args: readonly string[]) => Promise<string> = compose): Promise<Secrets> {
  const args = ['run', '--rm', '-T', '--no-deps', '--entrypoint', 'cat', 'cli', '/app/.data/secrets.json'];
  return z.record(z.string(), z.string()).parse(JSON.parse(await run(args)));
}
