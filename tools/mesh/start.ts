import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { findDaprd } from '../setup/locate.mjs';
import { startBacking, type Backing, type Server } from './backing.ts';
import { bankPorts, hasBank } from './bank.ts';
import { prepareHome, type Home } from './home.ts';
import { openLedger, refuseLeftovers, type Ledger } from './ledger.ts';
import type { MeshOptions } from './mesh.ts';
import { createPair, type Pair, type PairOptions } from './pair.ts';
import { planApps, plannedPorts, type PlannedApp } from './plan.ts';
import { requireFreePorts, type WantedPort } from './ports.ts';
import { step, type Progress } from './progress.ts';
import { requireResiliency } from './resiliency-check.ts';
import { readRunFile } from './run-file.ts';
import { mtlsFlags, sentryPorts as usualSentryPorts, sidecarIdentity } from './sentry.ts';
import { clearState } from './state.ts';
import { stopParts } from './stop.ts';
import { UserError } from './user-error.ts';
import { hopeless, waitUntilReady } from './wait.ts';

/** All that a running mesh is made of. */
export interface Parts extends Backing {
  readonly ledger: Ledger;
  readonly pairs: readonly Pair[];
  readonly servers: readonly Server[];
  readonly ports: readonly WantedPort[];
}

type StartOptions = Omit<MeshOptions, 'home'> & { readonly home: Home; readonly root: string };

/** Starts everything in order; if something does not become ready, ends all of it again and fails with the reason. */
export async function startParts(options: StartOptions): Promise<Parts> {
  const { home, root, env = {}, appPorts = {}, onProgress: report = () => undefined } = options;
  const planned = planApps(await readRunFile(join(root, 'dapr-config', 'dapr.yaml')), options);
  const database = { host: '127.0.0.1', port: options.postgres?.port ?? 15_432 };
  const redisPort = options.redis?.port ?? 16_379;
  const sentryPorts = options.sentry ?? usualSentryPorts;
  const daprd = findDaprd();
  if (!daprd) throw new UserError('daprd 1.18 is needed, and none was found. `make up` builds it.');
  await prepareHome(home);
  refuseLeftovers(home);
  const ports = [
    { port: database.port, wantedBy: 'PostgreSQL' },
    { port: redisPort, wantedBy: 'Redis' },
    ...Object.values(sentryPorts).map((port: number) => ({ port, wantedBy: 'Sentry' })),
    ...((await hasBank(root)) ? [bankPorts.app, bankPorts.ops].map((port) => ({ port, wantedBy: 'the bank' })) : []),
    ...plannedPorts(planned),
  ];
  await requireFreePorts(ports);
  const ledger = openLedger(home, report);

  const servers: Server[] = [];
  const pairs: Pair[] = [];
  const postgresSettings = options.postgres?.settings;
  try {
    const common = { root, home, database, env, ledger, report, signal: options.signal };
    const backing = await startBacking({ ...common, postgresSettings, redisPort, sentryPorts, servers });
    const mtls = { flags: mtlsFlags(sentryPorts), env: await sidecarIdentity(home) };
    pairs.push(...createPairs(planned, ledger, { home, daprd: daprd.path, env, database, appPorts, mtls }));
    if (pairs.length > 0)
      await startPairs(pairs, planned, {
        home,
        report,
        signal: options.signal,
        timeoutMs: options.readyTimeoutMs ?? 120_000,
      });
    return { ...backing, ledger, pairs, servers, ports };
  } catch (error) {
    await stopParts({ pairs, servers });
    clearState(home);
    throw error;
  }
}

function createPairs(planned: readonly PlannedApp[], ledger: Ledger, options: Omit<PairOptions, 'onEvent'>): Pair[] {
  const pairs = planned.flatMap(({ app, replicas }) =>
    Array.from({ length: replicas }, (_, replica) =>
      createPair(app, replica, { ...options, onEvent: ledger.watch(`${app.id}-${replica}`) }),
    ),
  );
  for (const { group } of pairs) ledger.add(group);
  return pairs;
}

async function startPairs(
  pairs: readonly Pair[],
  planned: readonly PlannedApp[],
  options: { home: Home; report: (progress: Progress) => void; signal: AbortSignal | undefined; timeoutMs: number },
): Promise<void> {
  const { home, report, timeoutMs } = options;
  // It may hold addresses of sidecars that ended long ago.
  await Promise.all(['', '-wal', '-shm'].map((suffix) => rm(`${home.resolverFile}${suffix}`, { force: true })));
  const groups = pairs.map(({ group }) => group);
  const start = async () => {
    for (const group of groups) group.start();
    await waitUntilReady(groups, {
      timeoutMs,
      onWaiting: (ready) => report({ kind: 'detail', step: 'services', text: `${ready} of ${groups.length} ready` }),
      giveUp: () => hopeless(groups, home.logs, options.signal),
    });
    await requireResiliency(
      pairs,
      planned.map(({ app }) => app),
      home,
    );
  };
  await step(report, 'services', start, () => `${groups.length}, each beside its sidecar`);
}
