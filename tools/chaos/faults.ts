import { setTimeout as delay } from 'node:timers/promises';
import type Docker from 'dockerode';
import { crashCommand } from '../compose/containers.ts';
import { tripleOf } from '../compose/pod.ts';
import type { Kind } from '../compose/containers.ts';
import { ownerOf, type Member, type Project } from './project.ts';

/** What may happen to a container, in the order of the table. */
export const faultNames = ['crash', 'restart', 'pause', 'recreate', 'cut', 'kill', 'stop'] as const;
export type FaultName = (typeof faultNames)[number];

/** A fault made ready for one container. */
interface Prepared {
  readonly strike: () => Promise<void>;
  /** Takes it back, also where only a part of it was done. */
  readonly takeBack?: () => Promise<void>;
}

/** One way to harm a container. */
export interface Fault {
  /** What is done, in the words of the page. */
  readonly says: string;
  /** Whether it lasts until it is taken back; and whether the container is down meanwhile, which no restart policy mends. */
  readonly lasts?: 'up' | 'down';
  prepare(project: Project, member: Member): Promise<Prepared>;
}

/** How long a fault lasts that does not pass by itself, in milliseconds. */
export const holdMs = 10_000;

const diesWithinMs = 10_000;

/** Whether a container has a network to be cut off; app and sidecar have that of their pod. */
export const hasNetwork = (kind: Kind): boolean => kind !== 'app' && kind !== 'sidecar';

/** The container and its own grace in seconds, which the engine of some versions does not know by itself. */
async function gracefully({ container, inspect }: Project, { service }: Member) {
  const { StopTimeout: t } = (await inspect(service)).Config as { StopTimeout?: number };
  return { container: await container(service), grace: t === undefined ? {} : { t } };
}

export const faults: Readonly<Record<FaultName, Fault>> = {
  crash: {
    says: 'its process is killed from inside (`kill -9`)',
    async prepare(project, { service }) {
      const container = await project.container(service);
      const before = (await container.inspect()).State.StartedAt;
      return {
        async strike() {
          await (await container.exec({ Cmd: crashCommand })).start({ Detach: true });
          for (const limit = Date.now() + diesWithinMs; ; await delay(20)) {
            const { State } = await container.inspect();
            if (!State.Running || State.StartedAt !== before) return;
            if (Date.now() > limit) throw new Error(`${service} was killed from inside and lives`);
          }
        },
      };
    },
  },
  restart: {
    says: '`docker restart`, with its own grace',
    async prepare(project, member) {
      const { container, grace } = await gracefully(project, member);
      return { strike: () => container.restart(grace) };
    },
  },
  pause: {
    says: '`docker pause`, and 10 s later `docker unpause`',
    lasts: 'up',
    async prepare(project, { service }) {
      const container = await project.container(service);
      return { strike: () => container.pause(), takeBack: () => container.unpause() };
    },
  },
  recreate: {
    says: '`docker compose up -d --force-recreate`; a pod with its app and its sidecar, which are bound to it',
    async prepare(project, member) {
      const up = async (...more: string[]) =>
        void (await project.compose(['up', '-d', ...more, '--no-deps', ...boundTo(member)]));
      return { strike: () => up('--force-recreate'), takeBack: () => up() };
    },
  },
  cut: {
    says: 'taken off all its networks for 10 s',
    lasts: 'up',
    async prepare({ docker, container: find, inspect }, { service }) {
      const container = await find(service);
      const networks = await networksOf(inspect, service);
      const own = container.id.slice(0, 12);
      return {
        async strike() {
          for (const [name] of networks) await docker.getNetwork(name).disconnect({ Container: container.id });
        },
        async takeBack() {
          const now = new Map(await networksOf(inspect, service));
          for (const [name, { Aliases }] of networks.filter(([one]) => !now.has(one))) {
            // Without its names nobody would find it again.
            const EndpointConfig = { Aliases: Aliases?.filter((alias) => alias !== own) };
            await docker.getNetwork(name).connect({ Container: container.id, EndpointConfig });
          }
        },
      };
    },
  },
  kill: {
    says: '`docker kill`, which no restart policy mends, and 10 s later `docker start`',
    lasts: 'down',
    async prepare(project, { service }) {
      const container = await project.container(service);
      return { strike: () => container.kill(), takeBack: () => container.start() };
    },
  },
  stop: {
    says: '`docker stop`, and 10 s later `docker start`',
    lasts: 'down',
    async prepare(project, member) {
      const { container, grace } = await gracefully(project, member);
      return { strike: () => container.stop(grace), takeBack: () => container.start() };
    },
  },
};

const networksOf = async (inspect: Project['inspect'], service: string): Promise<[string, Docker.EndpointSettings][]> =>
  Object.entries((await inspect(service)).NetworkSettings.Networks);

/** What has to be made anew with a container: who has joined its network is bound to the container, not to its name. */
const boundTo = ({ service, kind }: Member): string[] =>
  kind === 'pod' ? Object.values(tripleOf(ownerOf(service))) : [service];

/** Waits for every container to run and be healthy; gives those that are not by then. */
export async function untilWhole({ core, inspect }: Project, timeoutMs: number): Promise<string[]> {
  for (const limit = Date.now() + timeoutMs; ; await delay(500)) {
    const states = await Promise.all(
      core.map(async ({ service }) => {
        const { State } = await inspect(service);
        return State.Paused ? 'paused' : (State.Health?.Status ?? State.Status);
      }),
    );
    const ill = core.flatMap(({ service }, at) =>
      states[at] === 'healthy' ? [] : [`${service} is ${states[at] ?? ''}`],
    );
    if (ill.length === 0 || Date.now() > limit) return ill;
  }
}

/** Sets going again whatever of the core is paused or has ended. */
export async function mend(project: Project): Promise<void> {
  // A pod first: nothing can join one that does not run.
  const order = [...project.core].sort((a, b) => Number(b.kind === 'pod') - Number(a.kind === 'pod'));
  for (const { service } of order) {
    const { State } = await project.inspect(service);
    const container = await project.container(service);
    if (State.Paused) await container.unpause();
    else if (!State.Running && !State.Restarting) await container.start();
  }
}
