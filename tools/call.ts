// Calls a method as the gateway does, through both sidecars:
// node tools/call.ts service=reviews method=getReview request='{"orderId":"1"}' [user=3 role=staff] [key=…]
import { randomUUID } from 'node:crypto';
import { continueTrace, withContext } from '../services/_chassis/context.ts';
import { causeOf, DependencyError } from '../services/_chassis/errors.ts';
import { readJson } from '../services/_chassis/json.ts';
import { connectAs } from './connect-as.ts';
import { homeAt, repository } from './mesh/home.ts';
import { readSecrets } from './mesh/secrets.ts';
import { signIn } from './mesh/sign-in.ts';
import { runningMesh } from './mesh/up.ts';
import { UserError } from './mesh/user-error.ts';
import { readContracts } from './service-contracts.ts';

const values = new Map(process.argv.slice(2).map((arg) => [arg.split('=')[0], arg.slice(arg.indexOf('=') + 1)]));
const value = (name: string) => values.get(name) || undefined;
const home = homeAt(repository);

/** The `Authorization` header of who is to be asking; nobody, unless a user is named. */
async function authorization(): Promise<string | undefined> {
  const user = value('user');
  const mesh = user === undefined ? undefined : await runningMesh(home);
  if (user === undefined || !mesh) return undefined;
  const roles = value('role')?.split(',');
  return `Bearer ${await signIn(mesh.gatewayUrl, (await readSecrets(home.secretsFile)) ?? {}, { user, roles })}`;
}

async function main(): Promise<void> {
  const contracts = await readContracts();
  const contract = contracts.find(({ service }) => service === value('service'));
  if (!contract)
    throw new UserError(`say which: make call service=${contracts.map(({ service }) => service).join('|')}`);
  const name = value('method') ?? '';
  const method = Object.hasOwn(contract.methods, name) ? contract.methods[name] : undefined;
  if (!method)
    throw new UserError(`${contract.service} has these methods: ${Object.keys(contract.methods).join(', ')}`);
  const request = method.request.safeParse(readJson(value('request') ?? '{}'));
  if (!request.success) throw new UserError(`the request is not what ${name} takes: ${request.error.message}`);
  const call = (await connectAs('gateway'))(contract)[name];
  const context = {
    requestId: randomUUID(),
    traceparent: continueTrace(undefined),
    authorization: await authorization(),
  };
  const idempotencyKey = value('key') ?? randomUUID();
  const answer = await withContext(context, () => call?.(request.data, { idempotencyKey, timeoutMs: 10_000 }));
  console.log(JSON.stringify(answer, undefined, 2));
}

try {
  await main();
  process.exit(); // the connections would keep it
} catch (error) {
  if (!(error instanceof UserError || error instanceof DependencyError)) throw error;
  console.error(causeOf(error));
  process.exit(1);
}
