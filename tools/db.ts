// An SQL prompt in a service's database, as the service's own role, which sees the rows of one tenant:
// node tools/db.ts service=orders [sql="select …"] [tenant=main]
import { spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline/promises';
import type pg from 'pg';
import { tenantSetting } from '../services/_chassis/tenancy.ts';
import { passwordName } from './mesh/databases.ts';
import { homeAt, repository } from './mesh/home.ts';
import { withClient } from './mesh/postgres.ts';
import { readSecrets, secretNamed } from './mesh/secrets.ts';
import { table } from './mesh/terminal.ts';
import { UserError } from './mesh/user-error.ts';

async function main(service: string | undefined, sql: string | undefined, tenant: string): Promise<number> {
  if (!/^([\w.-]+|\*)$/.test(tenant)) throw new UserError(`${tenant} is no tenant`);
  const secrets = (await readSecrets(homeAt(repository).secretsFile)) ?? {};
  const owning = Object.keys(secrets).flatMap((name) => /^(.+)DatabasePassword$/.exec(name)?.[1] ?? []);
  if (!service || !owning.includes(service)) {
    throw new UserError(
      owning.length === 0
        ? 'there are no databases yet: `make up` makes them'
        : `say which: make db service=${owning.join('|')}`,
    );
  }
  const password = secretNamed(secrets, passwordName(service));
  // psql is part of the client package, which may be absent; a password in its environment is on no command line.
  const psql = spawnSync(
    'psql',
    ['-X', '-h', '127.0.0.1', '-p', '15432', '-U', service, service, ...(sql ? ['-c', sql] : [])],
    {
      stdio: 'inherit',
      env: { ...process.env, PGPASSWORD: password, PGOPTIONS: `-c ${tenantSetting}=${tenant}` },
    },
  );
  if (!psql.error) return psql.status ?? 1;
  const url = `postgres://${service}:${encodeURIComponent(password)}@127.0.0.1:15432/${service}`;
  return withClient(url, async (client) => {
    await client.query(`select set_config($1, $2, false)`, [tenantSetting, tenant]);
    return sql ? execute(client, sql) : prompt(client, service);
  });
}

async function execute(client: pg.Client, sql: string): Promise<number> {
  try {
    const { fields, rows, command, rowCount } = await client.query<Record<string, unknown>>(sql);
    const names = (fields ?? []).map(({ name }) => name);
    const cells = rows.map((row) => names.map((name) => text(row[name])));
    process.stdout.write(names.length > 0 ? `${table([names, ...cells])}\n` : `${command} ${rowCount ?? ''}\n`);
    return 0;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : '?'}\n`);
    return 1;
  }
}

const text = (value: unknown): string =>
  value === null
    ? ''
    : typeof value === 'string'
      ? value
      : value instanceof Date
        ? value.toISOString()
        : JSON.stringify(value);

async function prompt(client: pg.Client, service: string): Promise<number> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout, prompt: `${service}=> ` });
  process.stdout.write('One statement a line; Ctrl-D ends.\n');
  terminal.prompt();
  for await (const statement of terminal) {
    if (statement.trim()) await execute(client, statement);
    terminal.prompt();
  }
  return 0;
}

const values = new Map(process.argv.slice(2).map((arg) => [arg.split('=')[0], arg.slice(arg.indexOf('=') + 1)]));
try {
  process.exitCode = await main(
    values.get('service') || undefined,
    values.get('sql') || undefined,
    values.get('tenant') || 'main',
  );
} catch (error) {
  const known =
    error instanceof UserError || (error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED');
  if (!known) throw error;
  process.stderr.write(
    error instanceof UserError ? `${error.message}\n` : 'PostgreSQL does not run here: `make up` starts it\n',
  );
  process.exitCode = 1;
}
