import type Docker from 'dockerode';
import { containersOf, kindOf, type Kind } from '../compose/containers.ts';
import { compose } from '../compose/engine.ts';
import { UserError } from '../mesh/user-error.ts';

/** A container of the core, found anew whenever it is needed: it may have been made anew. */
export interface Member {
  /** Its name in compose.yaml. */
  readonly service: string;
  readonly kind: Kind;
}

/** A mesh in containers that runs. */
export interface Project {
  readonly name: string;
  readonly docker: Docker;
  /** Where its edge is, as EDGE_URL says, else by its published port. */
  readonly url: string;
  /** Everything in compose.yaml without a profile that runs for good. */
  readonly core: readonly Member[];
  /** The container of a service as it is now, running or not. */
  readonly container: (service: string) => Promise<Docker.Container>;
  readonly inspect: (service: string) => Promise<Docker.ContainerInspectInfo>;
  /** Runs compose on this project, with the files and the variables that it was started with. */
  readonly compose: (args: readonly string[]) => Promise<string>;
}

/** Finds a running project; UserError when there is none. */
export async function findProject(
  docker: Docker,
  name = process.env['COMPOSE_PROJECT_NAME'] || 'sidecart',
): Promise<Project> {
  const find = async (service: string) => {
    const [found] = await containersOf(docker, name, service);
    if (!found) throw new UserError(`the project ${name} has no container of ${service}: make compose-up`);
    return found;
  };
  const container = async (service: string) => docker.getContainer((await find(service)).Id);
  const inspect = async (service: string) => (await container(service)).inspect();

  if ((await containersOf(docker, name)).length === 0)
    throw new UserError(`no mesh runs in containers as ${name}: make compose-up`);
  const edge = await inspect('edge');
  const env = await variablesOf(edge, await inspect('gateway'));
  const { Labels: labels } = edge.Config;
  const files = (labels['com.docker.compose.project.config_files'] ?? '').split(',').filter(Boolean);
  const folder = labels['com.docker.compose.project.working_dir'] ?? '';
  const where = ['-p', name, '--project-directory', folder, ...files.flatMap((file) => ['-f', file])];
  const project = {
    ...{ name, docker, container, inspect },
    url: process.env['EDGE_URL'] || `http://127.0.0.1:${env['EDGE_PORT'] ?? ''}`,
    compose: (args: readonly string[]) => compose([...where, ...args], { env }),
  };
  return { ...project, core: await coreOf(project) };
}

/** What the variables of compose.yaml were: whatever is made anew has to be as it was. */
async function variablesOf(
  edge: Docker.ContainerInspectInfo,
  gateway: Docker.ContainerInspectInfo,
): Promise<Record<string, string>> {
  const bindings = edge.HostConfig.PortBindings as Record<string, { HostIp: string; HostPort: string }[]>;
  const published = (port: string) => bindings[`${port}/tcp`]?.[0];
  const said = new Map(
    [...edge.Config.Env, ...gateway.Config.Env].map((line) => line.split(/=(.*)/s, 2) as [string, string]),
  );
  const kept = ['PUBLIC_URL', 'LOG_LEVEL', 'EDGE_REQUESTS_PER_SECOND'];
  return {
    ...Object.fromEntries(kept.flatMap((name) => (said.has(name) ? [[name, said.get(name) ?? '']] : []))),
    EDGE_ADDRESS: published('8080')?.HostIp || '127.0.0.1',
    EDGE_PORT: published('8080')?.HostPort ?? '8080',
    EDGE_TLS_PORT: published('8443')?.HostPort ?? '8443',
  };
}

async function coreOf({ compose, inspect }: Pick<Project, 'compose' | 'inspect'>): Promise<Member[]> {
  const services = (await compose(['config', '--services'])).split('\n').filter(Boolean).sort();
  const members: Member[] = [];
  for (const service of services) {
    const { HostConfig } = await inspect(service);
    if (HostConfig.RestartPolicy?.Name !== 'no') members.push({ service, kind: kindOf(service) });
  }
  return members;
}

/** The service whose pod a container belongs to, or its own name. */
export const ownerOf = (service: string): string => service.replace(/-(pod|dapr)$/, '');
