import type Docker from 'dockerode';
import { readdirSync, readFileSync } from 'node:fs';
import { pssOf } from '../bench/cpu.ts';
import { containersOf, kindOf, serviceOf, type Kind } from './containers.ts';

const mib = 1_048_576;
/** The most that the mesh may take without its tools, in MiB (P9). */
export const floorMib = 1_400;

/** In MiB. `inUse` is what the kernel counts for the container but for files that it could drop; `pss` shares what is shared. */
export interface Usage {
  readonly service: string;
  readonly kind: Kind | 'tool';
  readonly limit: number;
  readonly inUse: number;
  readonly pss?: number | undefined;
}

/** The sum over some containers. */
export interface Sum extends Omit<Usage, 'service' | 'kind'> {
  readonly name: string;
  readonly containers: number;
}

const tools = ['zipkin', 'prometheus', 'pgadmin', 'redis-commander', 'portainer', 'cli', 'suite'];

/** The processes of this machine by the cgroup that they are in; empty where the engine is on another or in a VM. */
function processesByCgroup(): (readonly [cgroup: string, pid: number])[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        return [[readFileSync(`/proc/${name}/cgroup`, 'utf8'), Number(name)] as const];
      } catch {
        return []; // it has ended
      }
    });
}

/** What each running container of a project takes, by kind and name. */
export async function usagesOf(docker: Docker, project: string): Promise<Usage[]> {
  const containers = (await containersOf(docker, project)).filter(({ State }) => State === 'running');
  // Only root may read how much of another's memory is shared.
  const processes = process.platform === 'linux' && process.getuid?.() === 0 ? processesByCgroup() : [];
  const all = containers.map(async (container): Promise<Usage> => {
    const { Id } = container;
    const service = serviceOf(container);
    const { memory_stats: memory } = await docker.getContainer(Id).stats({ stream: false, 'one-shot': true });
    // The names of cgroups v1 and v2.
    const droppable = memory.stats.total_inactive_file ?? memory.stats.inactive_file;
    const pids = processes.filter(([cgroup]) => cgroup.includes(Id)).map(([, pid]) => pid);
    return {
      service,
      kind: tools.includes(service) ? 'tool' : kindOf(service),
      limit: inMib(memory.limit),
      inUse: inMib(memory.usage - droppable),
      ...(pids.length > 0 && { pss: inMib(pids.reduce((sum, pid) => sum + (pssOf(pid) ?? 0), 0)) }),
    };
  });
  return (await Promise.all(all)).sort((a, b) => a.kind.localeCompare(b.kind) || a.service.localeCompare(b.service));
}

const inMib = (bytes: number) => Math.round((bytes / mib) * 10) / 10;

function sumOf(name: string, those: readonly Usage[]): Sum {
  const sum = (of: (usage: Usage) => number) => those.reduce((total, usage) => total + of(usage), 0);
  return {
    ...{ name, containers: those.length, limit: sum(({ limit }) => limit), inUse: sum(({ inUse }) => inUse) },
    ...(those.every(({ pss }) => pss !== undefined) && { pss: sum(({ pss = 0 }) => pss) }),
  };
}

/** Sums by kind, and last the mesh without its tools. */
export function sumsOf(all: readonly Usage[]): Sum[] {
  const kinds = [...new Set(all.map(({ kind }) => kind))];
  return [
    ...kinds.map((kind) =>
      sumOf(
        kind,
        all.filter((usage) => usage.kind === kind),
      ),
    ),
    meshSum(all),
  ];
}

/** The mesh without its tools, which is what P9 is about. */
export const meshSum = (all: readonly Usage[]): Sum =>
  sumOf(
    'the mesh',
    all.filter(({ kind }) => kind !== 'tool'),
  );
