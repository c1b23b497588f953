import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { UserError } from './user-error.ts';
import { writeWhole } from './whole-file.ts';

/** The machine's secrets by name, as the Dapr secret store reads them: one flat object of strings. */
export type Secrets = Readonly<Record<string, string>>;

// auth's own keys, the password of the seeded people, and a seeded client's secret.
const authSecrets = ['authSealingKey', 'authCookieKey', 'peoplePassword', 'reporterClientSecret'];

const file = z.record(z.string(), z.string());

/** Reads the secrets, or undefined where there are none yet. */
export async function readSecrets(path: string): Promise<Secrets | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch {
    return undefined;
  }
  try {
    return file.parse(JSON.parse(text));
  } catch {
    throw new UserError(
      `${path} is not a flat JSON object of strings. Restore it, or run \`make reset\` and delete it.`,
    );
  }
}

/** A secret that must be there. */
export function secretNamed(secrets: Secrets, name: string): string {
  const value = secrets[name];
  if (value === undefined) throw new UserError(`the secret ${name} is missing; \`make up\` generates it`);
  return value;
}

/** Reads the secrets and generates what is missing, once: the passwords of these databases, and what else is named. */
export async function ensureSecrets(
  path: string,
  databases: readonly string[],
  others: readonly string[] = [],
): Promise<Secrets> {
  const known = (await readSecrets(path)) ?? {};
  const passwords = databases.map((name) => `${name}DatabasePassword`);
  const names = ['redisPassword', 'postgresPassword', ...passwords, ...authSecrets, ...others];
  const missing = names.filter((name) => known[name] === undefined);
  if (missing.length === 0) return known;
  const made = missing.map((name) => [name, randomBytes(24).toString('base64url')] as const);
  const all = { ...known, ...Object.fromEntries(made) };
  await writeWhole(path, `${JSON.stringify(all, undefined, 2)}\n`, 0o600);
  return all;
}
