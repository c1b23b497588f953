import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { databaseEnvironment, listenAddress, serviceEnvironment } from '../_chassis/config.ts';

const { APP_PORT, OPS_PORT, OPS_ADDRESS, LOG_LEVEL } = serviceEnvironment;
const milliseconds = z.coerce.number().int().min(0).max(600_000);

/** What the bank is told; it has no sidecar, so the name of a file stands in for the secret store. */
export const bankEnvironment = {
  APP_PORT,
  APP_ADDRESS: listenAddress,
  OPS_PORT,
  OPS_ADDRESS,
  LOG_LEVEL,
  ...databaseEnvironment,
  BANK_SECRETS_FILE: z.string().min(1),
  BANK_SLOW_MS: milliseconds.default(8_000),
  BANK_LOST_MS: milliseconds.default(30_000),
};

const secrets = z.object({ bankDatabasePassword: z.string().min(1) });

/** Reads the bank's database password out of a flat JSON file of secrets. */
export async function readPassword(file: string): Promise<string> {
  return secrets.parse(JSON.parse(await readFile(file, 'utf8'))).bankDatabasePassword;
}
