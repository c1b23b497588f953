import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { createGroup, type Group, type GroupEvent } from './group.ts';
import type { Home } from './home.ts';
import { isPairReady } from './probe.ts';
import { inheritedEnvironment, type ProcessSpec } from './process.ts';
import { replicaPorts, type Ports, type RunApp } from './run-file.ts';

/** One replica of a service: an app and the sidecar that lives and dies with it. */
export interface Pair {
  readonly name: string;
  readonly service: string;
  readonly replica: number;
  readonly ports: Ports;
  readonly group: Group;
}

export interface PairOptions {
  readonly home: Home;
  readonly daprd: string;
  /** Added to every app's environment, before what the launcher itself sets. */
  readonly env: Readonly<Record<string, string>>;
  readonly database: { readonly host: string; readonly port: number };
  /** Where apps listen, by service, if not where their sidecar calls. */
  readonly appPorts: Readonly<Record<string, number>>;
  /** By which its sidecar and the others know each other. */
  readonly mtls: { readonly flags: readonly string[]; readonly env: Readonly<Record<string, string>> };
  readonly onEvent: (event: GroupEvent) => void;
}

// The longest request and the longest handler of the mesh end well within this. daprd's --dapr-block-shutdown-duration
// would only put the same off: callers find a sidecar until that is over.
const gracefulShutdownSeconds = 5;
const sidecarStopMs = (gracefulShutdownSeconds + 3) * 1_000;
// An app bounds its own stop, its sidecar's with it, to ten seconds.
const appStopMs = 12_000;
// An app without its sidecar can finish nothing but its own database work.
const widowedAppMs = 2_000;

/** A replica of an app of the run file, not started yet. */
export function createPair(app: RunApp, replica: number, options: PairOptions): Pair {
  const name = `${app.id}-${replica}`;
  const ports = replicaPorts(app.ports, replica);
  let tokens = newTokens();
  const group = createGroup({
    name,
    probe: () => isPairReady(ports),
    onEvent: options.onEvent,
    // An ordered stop goes through the app, which ends its streams and then has its sidecar leave the name resolution and
    // finish its deliveries. The gateway, which nobody looks for, finishes what it has begun, and its sidecar ends after it.
    members: [
      {
        role: 'app',
        spec: () => {
          tokens = newTokens();
          return appSpec(name, app, { ...ports, app: options.appPorts[app.id] ?? ports.app }, tokens, options);
        },
        whenAnotherDies: { signal: 'SIGTERM', graceMs: widowedAppMs },
        whenStopped: { signal: 'SIGTERM', graceMs: appStopMs },
      },
      {
        role: 'sidecar',
        spec: () => sidecarSpec(name, app, ports, tokens, options),
        // A sidecar without its app would burn retries and dead-letter what another replica could handle.
        whenAnotherDies: { signal: 'SIGKILL', graceMs: 0 },
        whenStopped: { signal: 'SIGTERM', graceMs: sidecarStopMs },
      },
    ],
  });
  return { name, service: app.id, replica, ports, group };
}

interface Tokens {
  readonly DAPR_API_TOKEN: string;
  readonly APP_API_TOKEN: string;
}

/** A fresh pair of tokens: the app's for its sidecar, and the sidecar's for its app. */
export function newTokens(): Tokens {
  const token = () => randomBytes(24).toString('base64url');
  return { DAPR_API_TOKEN: token(), APP_API_TOKEN: token() };
}

/** The environment of an app, but for its tokens; the same under this launcher and under the dapr CLI. */
export function appEnvironment(app: RunApp, ports: Ports): Record<string, string> {
  return {
    ...app.env,
    APP_ID: app.id,
    APP_PORT: String(ports.app),
    OPS_PORT: String(ports.ops),
    ...(ports.https !== undefined && { HTTPS_PORT: String(ports.https) }),
    DAPR_HTTP_PORT: String(ports.http),
    DAPR_GRPC_PORT: String(ports.grpc),
  };
}

/** The certificate of the edge, where nothing else names one. */
const edgeFiles = ({ edge }: Home) => ({
  EDGE_CERTIFICATE_FILE: join(edge, 'cert.pem'),
  EDGE_KEY_FILE: join(edge, 'key.pem'),
});

function appSpec(name: string, app: RunApp, ports: Ports, tokens: Tokens, options: PairOptions): ProcessSpec {
  const [command = 'node', ...args] = app.command;
  return {
    name: `${name} app`,
    // The Node that runs this file, whatever PATH says.
    command: command === 'node' ? process.execPath : command,
    args,
    cwd: app.directory,
    env: {
      ...(ports.https !== undefined && edgeFiles(options.home)),
      ...inheritedEnvironment(),
      ...appEnvironment(app, ports),
      DATABASE_HOST: options.database.host,
      DATABASE_PORT: String(options.database.port),
      ...options.env,
      ...tokens,
    },
    logFile: join(options.home.logs, `${name}.app.log`),
    mark: args[0] ?? command,
    orphanSignal: 'SIGTERM',
  };
}

function sidecarSpec(name: string, app: RunApp, ports: Ports, tokens: Tokens, options: PairOptions): ProcessSpec {
  const flags: Record<string, string | number> = {
    'app-id': app.id,
    'app-protocol': app.protocol,
    'app-port': ports.app,
    'dapr-http-port': ports.http,
    'dapr-grpc-port': ports.grpc,
    'dapr-internal-grpc-port': ports.internal,
    'metrics-port': ports.metrics,
    'dapr-listen-addresses': app.listenAddresses,
    'metrics-listen-address': '127.0.0.1',
    'dapr-internal-grpc-listen-address': '127.0.0.1',
    config: app.configFile,
    'dapr-graceful-shutdown-seconds': gracefulShutdownSeconds,
    'log-level': 'info',
  };
  return {
    name: `${name} sidecar`,
    command: options.daprd,
    args: [
      ...Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, String(value)]),
      '--log-as-json',
      ...options.mtls.flags,
      ...app.resourcesPaths.flatMap((folder) => ['--resources-path', folder]),
    ],
    cwd: options.home.root,
    // Collected twice as often as Go would: a tenth less memory for 2 % of a sidecar's CPU time.
    env: { GOGC: '50', ...inheritedEnvironment(), ...options.mtls.env, ...tokens, DAPR_HOST_IP: '127.0.0.1' },
    logFile: join(options.home.logs, `${name}.sidecar.log`),
    mark: 'daprd',
    orphanSignal: 'SIGKILL',
  };
}
