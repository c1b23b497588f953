// The commands behind the Makefile's targets: node tools/mesh/cli.ts <command> [name=value …]
import { daprRunAll, daprRunOne, startBackingOnly } from './dapr-cli.ts';
import { down, reset } from './down.ts';
import { homeAt, repository } from './home.ts';
import { logs } from './logs.ts';
import { parseReplicas } from './plan.ts';
import { status } from './status.ts';
import { up } from './up.ts';
import { UserError } from './user-error.ts';

const [command = '', ...rest] = process.argv.slice(2);
const flags = new Set(rest.filter((arg) => arg.startsWith('--')));
const values = new Map(
  rest.flatMap((arg) => {
    const match = /^(\w+)=(.*)$/s.exec(arg);
    return match?.[1] && match[2] ? [[match[1], match[2]] as const] : [];
  }),
);
const service = values.get('service');
const home = homeAt(repository);

const commands: Readonly<Record<string, () => Promise<void>>> = {
  up: () => up(home, parseReplicas(values.get('replicas') ?? '')),
  down: () => down(home),
  reset: () => reset(home),
  status: () => status(home, flags.has('--json')),
  logs: () => logs(home, { service, follow: !flags.has('--no-follow') }),
  run: () => daprRunOne(home, service),
  backing: () => startBackingOnly(home),
  'dapr-run': () => daprRunAll(home),
};

try {
  const run = commands[command];
  if (!run) throw new UserError(`commands: ${Object.keys(commands).join(', ')}`);
  await run();
  // A lent service is given back when the connection to the supervisor ends with this process.
  process.exit();
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}
