// Calls, as one service and through its sidecar, everyone that it may call, and sees to it that the others refuse it; an outcome
// a line. In a container it is the service of its pod, else that of the running mesh: node tools/communication/probe.ts orders
import { randomUUID } from 'node:crypto';
import type { Connect } from '../../services/_chassis/client.ts';
import { continueTrace, withContext } from '../../services/_chassis/context.ts';
import type { Contract } from '../../services/_chassis/contract.ts';
import { causeOf } from '../../services/_chassis/errors.ts';
import { connectAs } from '../connect-as.ts';
import { UserError } from '../mesh/user-error.ts';
import { readContracts } from '../service-contracts.ts';
import { callersOf, probeOf, protocolOf, type Outcome } from './matrix.ts';

const timeoutMs = 5_000;

/** Asks for something, and gives what came instead where nothing did. */
async function ask(connect: Connect, contract: Contract, method: string, request: unknown) {
  const context = { requestId: randomUUID(), traceparent: continueTrace(undefined) };
  const call = connect(contract)[method] as ((request: unknown, options: object) => Promise<unknown>) | undefined;
  const since = performance.now();
  try {
    const answer = await withContext(context, async () => call?.(request, { timeoutMs }));
    const { kind } = answer as { kind: string };
    return { kind, ms: Math.round(performance.now() - since) };
  } catch (error) {
    return { failure: causeOf(error) };
  }
}

async function tryLink(connect: Connect, from: string, contract: Contract): Promise<Outcome> {
  const link = { from, to: contract.service, quiet: false };
  if (!callersOf(contract).includes(from)) {
    const { kind, failure = `it answered ${kind}` } = await ask(connect, contract, 'getHealth', {});
    const isRefusal = /permission.?denied|access denied/i.test(failure);
    return {
      ...link,
      kind: 'refused',
      ok: isRefusal,
      detail: isRefusal ? 'refused, as no contract allows it' : failure,
    };
  }
  const way = { ...link, kind: protocolOf(contract) };
  const probe = probeOf(contract, from);
  if (!probe) return { ...way, ok: false, detail: 'no method that could be tried' };
  const { kind, failure, ms } = await ask(connect, contract, probe.method, probe.request);
  // "No" is an answer as well, but not to these.
  const ok =
    failure === undefined && !['unauthenticated', 'forbidden', 'overloaded', 'deadline-passed'].includes(kind ?? '');
  return { ...way, ok, detail: failure ?? `${probe.method} answered ${kind} in ${ms} ms` };
}

const service = process.argv[2] ?? process.env['APP_ID'] ?? '';
try {
  const connect = await connectAs(service);
  for (const contract of await readContracts()) {
    if (contract.service === service) continue;
    console.log(JSON.stringify(await tryLink(connect, service, contract)));
  }
  process.exit(); // the connections would keep it
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  console.error(error.message);
  process.exit(1);
}
