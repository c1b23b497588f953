// Who talks to whom: reads from stdin what each service's probe found (probe.ts), places an order, looks for its events in every
// consumer's inbox, and draws the matrix: node tools/communication/cli.ts [--json] < outcomes
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Contract } from '../../services/_chassis/contract.ts';
import { causeOf } from '../../services/_chassis/errors.ts';
import { createCheckLines } from '../check-lines.ts';
import { connectionAdvice, databaseUrls } from '../connections.ts';
import { homeAt, repository } from '../mesh/home.ts';
import { readRunFile } from '../mesh/run-file.ts';
import { readSecrets } from '../mesh/secrets.ts';
import { signIn } from '../mesh/sign-in.ts';
import { table } from '../mesh/terminal.ts';
import { runningMesh } from '../mesh/up.ts';
import { UserError } from '../mesh/user-error.ts';
import { readContracts } from '../service-contracts.ts';
import { databaseNow, heard, placeOrder } from './events.ts';
import { allowedLinks, matrixRows, missing, outcome, type Outcome } from './matrix.ts';

const json = process.argv.includes('--json');
const lines = createCheckLines(json);
const home = homeAt(repository);

/** An order for which everybody has to hear from somebody. */
async function order(): Promise<void> {
  const what = 'an order through the gateway';
  try {
    const gatewayUrl = process.env['GATEWAY_URL'] ?? (await runningMesh(home))?.gatewayUrl;
    if (gatewayUrl === undefined) throw new UserError('no mesh runs here: `make up` first');
    const secrets = (await readSecrets(home.secretsFile)) ?? {};
    const token = await signIn(gatewayUrl, secrets, { user: 'ada', roles: ['customer'] });
    const { id, status } = await placeOrder(gatewayUrl, token);
    if (status === 'shipped') lines.ok(what, `${id} is shipped`);
    else lines.notOk(what, `${id} is still ${status}: scripts/logs.sh shows where it waits`);
  } catch (error) {
    lines.notOk(what, causeOf(error));
  }
}

async function listen(contracts: readonly Contract[]): Promise<Outcome[]> {
  const url = await databaseUrls(repository);
  const since = await databaseNow(url());
  await order();
  const urls = Object.fromEntries(contracts.map(({ service }) => [service, url(service)]));
  const pairs = contracts.flatMap((contract) =>
    Object.keys(contract.consumes ?? {}).map((producer) => [contract, producer] as const),
  );
  const outcomes: Outcome[] = [];
  for (const pair of pairs) outcomes.push(await heard(urls, pair, since)); // one by one: each opens connections of its own
  return outcomes;
}

const input = (await text(process.stdin)).split('\n').filter((line) => line.startsWith('{'));
const calls = input.map((line) => outcome.parse(JSON.parse(line)));
const contracts = await readContracts();
const apps = (await readRunFile(join(repository, 'dapr-config', 'dapr.yaml'))).map(({ id }) => id);
const links = allowedLinks(contracts, apps);
lines.section('who talks to whom');
const events = await listen(contracts).catch((error: unknown) => {
  lines.notOk('the databases, where events are', connectionAdvice(error) ?? causeOf(error));
  return [];
});
const outcomes = [...calls, ...events];
for (const { from, to, kind, detail } of outcomes.filter(({ ok }) => !ok))
  lines.notOk(`${from} -> ${to} ${kind}`, `${detail}; scripts/logs.sh service=${to}`);
for (const { from, to, kind } of missing(links, outcomes))
  lines.notOk(`${from} -> ${to} ${kind}`, `was not tried: does ${from} run? scripts/logs.sh service=${from}`);
const working = outcomes.filter(({ ok }) => ok);
const worked = (kind: Outcome['kind']) => working.filter((one) => one.kind === kind).length;
lines.ok('calls over HTTP', `${worked('http')} pairs`);
lines.ok('calls over gRPC', `${worked('grpc')} pairs`);
lines.ok('events', `${worked('events')} pairs`);
lines.ok('calls that no contract allows', `${worked('refused')} pairs refused`);
if (!json) {
  console.log(`\n${table(matrixRows(links, outcomes))}\n`);
  console.log(
    '  a row calls, or sends to, a column; (events): none new, all of earlier there; -: not allowed, and refused',
  );
}
lines.finish();
