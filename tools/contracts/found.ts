import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import type { Contract } from '../../services/_chassis/contract.ts';
import type { Named } from '../../services/_chassis/json-schema.ts';
import { money } from '../../services/_chassis/money.ts';
import { repository } from '../mesh/home.ts';

/** A service's contract, and the schemas that its contract.ts exports, which is what gives them their names. */
export interface Found {
  readonly contract: Contract;
  readonly named: Named;
}

const services = join(repository, 'services');
const isContract = (value: unknown): value is Contract =>
  z.object({ service: z.string(), methods: z.object({}), events: z.object({}) }).safeParse(value).success;

/** The contracts of all services, by name; what has none (the gateway's table, the bank) is passed over. */
export async function findContracts(): Promise<Found[]> {
  const folders = (await readdir(services)).filter((name) => /^[a-z]/.test(name)).sort();
  const modules = await Promise.all(folders.map((folder) => exportsOf(join(services, folder, 'contract.ts'))));
  return modules.flatMap((exported) => {
    const contract = Object.values(exported).find(isContract);
    return contract ? [{ contract, named: namesOf(exported) }] : [];
  });
}

const exportsOf = async (file: string) =>
  z.record(z.string(), z.unknown()).parse(await import(pathToFileURL(file).href));

function namesOf(exported: Readonly<Record<string, unknown>>): Named {
  const schemas = Object.entries({ ...exported, money }).flatMap(([name, schema]) =>
    schema instanceof z.ZodType ? [[pascal(name), { schema }] as const] : [],
  );
  return Object.fromEntries(schemas);
}

/** `in-progress` or `newOrder` as the name of a component. */
export const pascal = (name: string) => name.replace(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase());
