// What a running mesh in containers takes of the machine's memory: node tools/compose/memory.ts [project=sidecart] [--json]
import Docker from 'dockerode';
import { readdirSync, readFileSync } from 'node:fs';
import { pssOf } from '../bench/cpu.ts';
import { table } from '../mesh/terminal.ts';
import { containersOf, serviceOf } from './containers.ts';

const mib = 1_048_576;
/** The most that the core of the mesh may take, in MiB (P9). */
const floorMib = 1_400;

type Kind = 'apps' | 'sidecars' | 'pods' | 'stores' | 'authority' | 'edge' | 'tools';

/** In MiB. `inUse` is what the kernel counts for the container but for files that it could drop; `pss` shares what is shared. */
interface Usage {
  readonly service: string;
  readonly kind: Kind;
  readonly limit: number;
  readonly inUse: number;
  readonly pss?: number;
}

const beside = ['zipkin', 'prometheus', 'pgadmin', 'redis-commander', 'portainer', 'cli', 'suite'];

function kindOf(service: string): Kind {
  if (/-pod(-\d+)?$/.test(service)) return 'pods';
  if (/-dapr(-\d+)?$/.test(service)) return 'sidecars';
  if (service === 'postgres' || service === 'redis') return 'stores';
  if (service === 'sentry') return 'authority';
  if (service === 'edge') return 'edge';
  return beside.includes(service) ? 'tools' : 'apps';
}

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

async function usages(docker: Docker, project: string): Promise<Usage[]> {
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
      kind: kindOf(service),
      limit: memory.limit / mib,
      inUse: (memory.usage - droppable) / mib,
      ...(pids.length > 0 && { pss: pids.reduce((sum, pid) => sum + (pssOf(pid) ?? 0), 0) / mib }),
    };
  });
  return (await Promise.all(all)).sort((a, b) => a.kind.localeCompare(b.kind) || a.service.localeCompare(b.service));
}

/** Sums by kind, in the order of the kinds. */
function sums(all: readonly Usage[]): (Omit<Usage, 'service'> & { readonly containers: number })[] {
  return [...new Set(all.map(({ kind }) => kind))].map((kind) => {
    const those = all.filter((usage) => usage.kind === kind);
    const sum = (of: (usage: Usage) => number) => those.reduce((total, usage) => total + of(usage), 0);
    const pss = those.every((usage) => usage.pss !== undefined) ? { pss: sum((usage) => usage.pss ?? 0) } : {};
    return {
      kind,
      containers: those.length,
      limit: sum(({ limit }) => limit),
      inUse: sum(({ inUse }) => inUse),
      ...pss,
    };
  });
}

const whole = (value: number | undefined) => (value === undefined ? '' : Math.round(value).toLocaleString('en'));
const tenth = (value: number | undefined) => value?.toFixed(1) ?? '';

const named = process.argv.slice(2).find((argument) => !argument.startsWith('--'));
const project = named?.replace(/^project=/, '') || 'sidecart';
const all = await usages(new Docker(), project);
const kinds = sums(all);
const core = all.filter(({ kind }) => kind !== 'tools');
const total = core.reduce((sum, { inUse }) => sum + inUse, 0);
if (process.argv.includes('--json')) {
  console.log(JSON.stringify({ project, containers: all, kinds, totalMib: total, floorMib }, undefined, 2));
} else if (all.length > 0) {
  const rows = all.map(({ service, limit, inUse, pss }) => [service, whole(limit), tenth(inUse), tenth(pss)]);
  console.log(table([['container', 'limit', 'in use', 'PSS'], ...rows]));
  const ofKinds = kinds.map((sum) => [
    `${sum.containers} ${sum.kind}`,
    whole(sum.limit),
    tenth(sum.inUse),
    tenth(sum.pss),
  ]);
  console.log(`\n${table([['in MiB', 'limit', 'in use', 'PSS'], ...ofKinds])}`);
  console.log(`\n  the mesh without tools: ${whole(total)} MiB of at most ${whole(floorMib)}`);
}
if (all.length === 0) console.error(`nothing of the project ${project} runs: docker compose up -d --wait`);
if (all.length === 0 || total > floorMib) process.exitCode = 1;
