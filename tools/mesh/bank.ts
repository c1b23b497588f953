import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { createGroup, type Group, type GroupEvent } from './group.ts';
import type { Home } from './home.ts';
import { statusOf } from './probe.ts';
import { inheritedEnvironment } from './process.ts';

/** The bank's ports; the HTTPEndpoint in dapr-config/resources/bank.yaml names the first. */
export const bankPorts = { app: 8099, ops: 6599 };

const main = 'services/bank/main.ts';

/** Whether the project has a bank. */
export const hasBank = (root: string): Promise<boolean> =>
  access(join(root, main)).then(
    () => true,
    () => false,
  );

/**
 * The stand-in for the payment provider, not started yet: outside the mesh like PostgreSQL and Redis, so it has no
 * sidecar and is not in the run file. Undefined where the project has none.
 */
export async function createBank(options: {
  root: string;
  home: Home;
  database: { host: string; port: number };
  env: Readonly<Record<string, string>>;
  onEvent: (event: GroupEvent) => void;
}): Promise<Group | undefined> {
  const { root, home } = options;
  if (!(await hasBank(root))) return undefined;
  const farewell = { signal: 'SIGTERM', graceMs: 10_000 } as const;
  const spec = () =>
    ({
      name: 'bank',
      command: process.execPath,
      args: [main],
      cwd: root,
      env: {
        ...inheritedEnvironment(),
        NODE_COMPILE_CACHE: join(root, '.data', 'compile-cache'),
        // As in the run file.
        NODE_OPTIONS: '--max-semi-space-size=16 --max-old-space-size=192',
        LOG_LEVEL: 'info',
        ...options.env,
        APP_ID: 'bank',
        APP_PORT: String(bankPorts.app),
        OPS_PORT: String(bankPorts.ops),
        DATABASE_HOST: options.database.host,
        DATABASE_PORT: String(options.database.port),
        BANK_SECRETS_FILE: home.secretsFile,
      },
      logFile: join(home.logs, 'bank.app.log'),
      mark: main,
      orphanSignal: 'SIGTERM',
    }) as const;
  return createGroup({
    name: 'bank',
    onEvent: options.onEvent,
    probe: async () => (await statusOf(bankPorts.ops, '/healthz/ready')) === 200,
    members: [{ role: 'app', spec, whenAnotherDies: farewell, whenStopped: farewell }],
  });
}
