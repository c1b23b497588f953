import { ensureEngine } from '../compose/engine.ts';
import { runCell, type CellDeps } from './cell.ts';
import { faultNames, hasNetwork, mend, untilWhole, type FaultName } from './faults.ts';
import { findProject, type Member, type Project } from './project.ts';
import type { Cell } from './record.ts';
import { openShop } from './shoppers.ts';
import { UserError } from '../mesh/user-error.ts';

const wholeMs = 120_000;

/** A mesh in containers, and people in it, to be harmed a fault at a time. */
export interface Chaos {
  readonly project: Project;
  /** The version of the Docker engine. */
  readonly engine: string;
  run(member: Member, fault: FaultName, report?: (text: string) => void): Promise<Cell>;
  /** Leaves no container paused, cut or stopped, whatever was under way. */
  close(): Promise<void>;
}

/** Finds the running mesh and lets people in; UserError when there is none. */
export async function openChaos(name?: string): Promise<Chaos> {
  const { docker } = await ensureEngine();
  const project = await findProject(docker, name);
  const ill = await untilWhole(project, wholeMs);
  if (ill.length > 0) throw new UserError(`the mesh ${project.name} is not whole: ${ill.join(', ')}`);
  const shoppers = await openShop(project);
  const undo: CellDeps['undo'] = {};
  return {
    project,
    engine: String(((await docker.version()) as { Version?: string }).Version ?? 'unknown'),
    run: (member, fault, report = () => undefined) => runCell({ project, shoppers, undo, report }, member, fault),
    async close() {
      await undo.current?.();
      undo.current = undefined;
      await mend(project);
    },
  };
}

/** What CI runs: one app, one sidecar, one pod, and what all need. A stop is a kill with a grace, which each service's tests have. */
export const share = {
  only: ['orders', 'payments-dapr', 'inventory-pod', 'postgres', 'redis', 'edge'],
  faults: faultNames.filter((name) => name !== 'stop'),
} as const;

/** The cells of a run, container by container: of these services and faults, or of all where none are named. */
export function plan(
  core: readonly Member[],
  { only, faults }: { only: readonly string[]; faults: readonly string[] },
): { member: Member; fault: FaultName }[] {
  const unknown = [
    ...only.filter((name) => !core.some(({ service }) => service === name)),
    ...faults.filter((name) => !faultNames.some((known) => known === name)),
  ];
  if (unknown.length > 0) {
    const services = core.map(({ service }) => service).join(', ');
    throw new UserError(`there is no ${unknown.join(', ')}; containers: ${services}; faults: ${faultNames.join(', ')}`);
  }
  return core
    .filter(({ service }) => only.length === 0 || only.includes(service))
    .flatMap((member) =>
      faultNames
        .filter((name) => faults.length === 0 || faults.includes(name))
        .filter((name) => name !== 'cut' || hasNetwork(member.kind))
        .map((fault) => ({ member, fault })),
    );
}
