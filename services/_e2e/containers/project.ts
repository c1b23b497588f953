import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import Docker from 'dockerode';
import { containersOf, crashCommand } from '../../../tools/compose/containers.ts';

const docker = new Docker();
const project = process.env['COMPOSE_PROJECT_NAME'] || 'sidecart';

/** Where clients reach the mesh in containers. */
export const edgeUrl = process.env['EDGE_URL'] || 'http://127.0.0.1:8080';

/** A container of the running project, by its name in compose.yaml. */
export async function containerOf(service: string): Promise<Docker.Container> {
  const [found] = await containersOf(docker, project, service);
  if (!found) throw new Error(`there is no container of ${service} in the project ${project}`);
  return docker.getContainer(found.Id);
}

/** All containers of the running project. */
export const projectContainers = (): Promise<Docker.ContainerInfo[]> => containersOf(docker, project);

/** The addresses that a container has on one of the project's networks. */
export async function addressesOf(service: string, network: string): Promise<string[]> {
  const { NetworkSettings } = await (await containerOf(service)).inspect();
  const address = NetworkSettings.Networks[`${project}_${network}`]?.IPAddress;
  return address ? [address] : [];
}

/** Runs a command in a container and gives what it writes to its standard output; fails with the rest if it fails. */
export async function execute(service: string | Docker.Container, command: string[]): Promise<string> {
  const container = typeof service === 'string' ? await containerOf(service) : service;
  const exec = await container.exec({ Cmd: command, AttachStdout: true, AttachStderr: true });
  const stream = await exec.start({});
  const [output, complaints] = [new PassThrough(), new PassThrough()];
  docker.modem.demuxStream(stream, output, complaints);
  stream.on('end', () => {
    output.end();
    complaints.end();
  });
  const [said, complained] = await Promise.all([text(output), text(complaints)]);
  const { ExitCode } = await exec.inspect();
  if (ExitCode !== 0) throw new Error(`${command.join(' ')} failed (${ExitCode ?? '?'}): ${complained}`);
  return said;
}

/** Kills what a container runs from inside, as a crash would. */
export const killInside = (service: string): Promise<unknown> => execute(service, crashCommand).catch(() => undefined);

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
