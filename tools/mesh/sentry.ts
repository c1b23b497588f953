import { X509Certificate } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findSentry } from '../setup/locate.mjs';
import { createGroup, type Group, type GroupEvent } from './group.ts';
import { repository, type Home } from './home.ts';
import { statusOf } from './probe.ts';
import { UserError } from './user-error.ts';

/** Where Sentry answers: sidecars get their certificates at `api`. */
export interface SentryPorts {
  readonly api: number;
  readonly health: number;
}

/** Sentry's ports: the dapr CLI sends every sidecar to 50001, and says so nowhere; the other is number 98's ops port. */
export const sentryPorts: SentryPorts = { api: 50_001, health: 6_598 };

const renewBeforeMs = 30 * 24 * 3_600_000;

/**
 * The mesh's certificate authority, not started yet. At its first start it makes its keys, for a year; at a start within
 * the last month of that it makes new ones, and the sidecars, which start after it, know no others.
 */
export function createSentry(options: { home: Home; ports: SentryPorts; onEvent: (event: GroupEvent) => void }): Group {
  const { home, ports } = options;
  const program = findSentry();
  if (!program) throw new UserError('Sentry 1.18 is needed, and none was found. `make up` builds it.');
  forgetEndingAuthority(home.certificates);
  mkdirSync(home.certificates, { recursive: true });
  chmodSync(home.certificates, 0o700);
  const farewell = { signal: 'SIGTERM', graceMs: 5_000 } as const;
  const flags = {
    config: join(repository, 'dapr-config', 'sentry.yaml'),
    'issuer-credentials': home.certificates,
    'trust-domain': 'localhost',
    // Whoever reaches it gets any name he asks for.
    'listen-address': '127.0.0.1',
    port: ports.api,
    // 1.18.1 takes an address for these two and ignores it: they would listen everywhere. One of them has to.
    'healthz-port': ports.health,
    'enable-metrics': false,
    'log-as-json': true,
  };
  return createGroup({
    name: 'sentry',
    onEvent: options.onEvent,
    probe: async () => (await statusOf(ports.health, '/healthz')) === 200,
    members: [
      {
        role: 'server',
        whenAnotherDies: farewell,
        whenStopped: farewell,
        spec: () => ({
          name: 'sentry',
          command: program.path,
          args: Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`),
          cwd: home.root,
          env: { PATH: process.env['PATH'] },
          logFile: join(home.logs, 'sentry.server.log'),
          mark: 'sentry',
          orphanSignal: 'SIGTERM',
        }),
      },
    ],
  });
}

/** Removes a folder of Sentry's when one of its certificates ends within the month; Sentry makes new ones at its start. */
export function forgetEndingAuthority(folder: string, now = Date.now()): void {
  if (isEnding(folder, now)) rmSync(folder, { recursive: true, force: true });
}

/** Whether one of the certificates in a folder of Sentry's ends within the month. */
export const isEnding = (folder: string, now = Date.now()): boolean =>
  ['ca.crt', 'issuer.crt'].some((name) => {
    try {
      const { validToDate } = new X509Certificate(readFileSync(join(folder, name)));
      return validToDate.getTime() < now + renewBeforeMs;
    } catch {
      return false; // none yet; one that is broken Sentry itself complains about
    }
  });

/** What a sidecar's environment needs to be one of the mesh, once Sentry has started. */
export const sidecarIdentity = async (home: Home) => ({
  NAMESPACE: 'default',
  DAPR_TRUST_ANCHORS: await readFile(join(home.certificates, 'ca.crt'), 'utf8'),
});

/** The flags of a sidecar that gets its certificate there; under the dapr CLI its Configuration does that. */
export const mtlsFlags = ({ api }: SentryPorts) => ['--enable-mtls', '--sentry-address', `127.0.0.1:${api}`];
