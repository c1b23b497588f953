import { z } from 'zod';
import type { Contract } from '../../services/_chassis/contract.ts';
import type { Named } from '../../services/_chassis/json-schema.ts';
import { money } from '../../services/_chassis/money.ts';
import { readContractModules } from '../service-contracts.ts';

/** A service's contract, and the schemas that its contract.ts exports, which is what gives them their names. */
export interface Found {
  readonly contract: Contract;
  readonly named: Named;
}

/** The contracts of all services, by name; what has none (the gateway's table, the bank) is passed over. */
export const findContracts = async (): Promise<Found[]> =>
  (await readContractModules()).map(({ contract, exported }) => ({ contract, named: namesOf(exported) }));

function namesOf(exported: Readonly<Record<string, unknown>>): Named {
  const schemas = Object.entries({ ...exported, money }).flatMap(([name, schema]) =>
    schema instanceof z.ZodType ? [[pascal(name), { schema }] as const] : [],
  );
  return Object.fromEntries(schemas);
}

/** `in-progress` or `newOrder` as the name of a component. */
export const pascal = (name: string) => name.replace(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase());
