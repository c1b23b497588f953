import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import type { Contract } from '../services/_chassis/contract.ts';
import { repository } from './mesh/home.ts';
import { serviceFolders } from './mesh/service-folders.ts';

const named = z.record(z.string(), z.object());
const shape = z.object({ service: z.string(), methods: named, events: named });
const isContract = (value: unknown): value is Contract => shape.safeParse(value).success;

/** The contracts of all services that are called through a sidecar, from their folders; gateway and bank have none. */
export const readContracts = async (root = repository): Promise<Contract[]> =>
  (await readContractModules(root)).map(({ contract }) => contract);

/** The same, each with everything that its contract.ts exports. */
export async function readContractModules(root = repository) {
  const names = await serviceFolders(root);
  const modules = await Promise.all(names.map((name) => exportsOf(join(root, 'services', name, 'contract.ts'))));
  return modules.flatMap((exported) => {
    const contract = Object.values(exported).find(isContract);
    return contract ? [{ contract, exported }] : [];
  });
}

async function exportsOf(file: string): Promise<Readonly<Record<string, unknown>>> {
  const isThere = await access(file).then(
    () => true,
    () => false,
  );
  return isThere ? z.record(z.string(), z.unknown()).parse(await import(pathToFileURL(file).href)) : {};
}

/** The topics that a service publishes to. */
export const topicsOf = (contract: Contract): string[] => [
  ...new Set(Object.values(contract.events).map(({ topic }) => topic)),
];
