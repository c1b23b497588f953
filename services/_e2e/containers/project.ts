import { setTimeout as delay } from 'node:timers/promises';
import Docker from 'dockerode';

const docker = new Docker();
const project = process.env['COMPOSE_PROJECT_NAME'] || 'sidecart';

/** Where clients reach the mesh in containers. */
export const edgeUrl = process.env['EDGE_URL'] || 'http://127.0.0.1:8080';

/** A container of the running project, by its name in compose.yaml. */
export async function containerOf(service: string): Promise<Docker.Container> {
  const label = [`com.docker.compose.project=${project}`, `com.docker.compose.service=${service}`];
  const [found] = await docker.listContainers({ all: true, filters: { label } });
  if (!found) throw new Error(`there is no container of ${service} in the project ${project}`);
  return docker.getContainer(found.Id);
}

/** What a container has written since a moment (milliseconds of the epoch). */
export async function logsOf(service: string, since: number): Promise<string> {
  const container = await containerOf(service);
  return (await container.logs({ stdout: true, stderr: true, since: since / 1_000 })).toString();
}

/** Waits until containers are healthy, for at most `limitMs`. */
export async function untilHealthy(services: readonly string[], limitMs: number): Promise<void> {
  const limit = Date.now() + limitMs;
  for (const service of services) {
    for (;;) {
      const { State } = await (await containerOf(service)).inspect();
      if (State.Health?.Status === 'healthy') break;
      if (Date.now() > limit) throw new Error(`${service} is ${State.Status}, ${State.Health?.Status ?? 'no health'}`);
      await delay(200);
    }
  }
}
