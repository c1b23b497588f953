import { replicaPorts, type Ports, type RunApp } from './run-file.ts';
import type { WantedPort } from './ports.ts';
import { UserError } from './user-error.ts';

/** A service to start, and how many of it. */
export interface PlannedApp {
  readonly app: RunApp;
  readonly replicas: number;
}

/** Which of the run file's apps to start; a name that is not in it is refused. */
export function planApps(
  apps: readonly RunApp[],
  wish: { services?: readonly string[] | undefined; replicas?: Readonly<Record<string, number>> | undefined },
): PlannedApp[] {
  const unknown = [...(wish.services ?? []), ...Object.keys(wish.replicas ?? {})].filter(
    (id) => !apps.some((app) => app.id === id),
  );
  if (unknown.length > 0) {
    throw new UserError(
      `no service ${unknown.join(', ')} in the run file; there are ${apps.map(({ id }) => id).join(', ')}`,
    );
  }
  return apps
    .filter(({ id }) => wish.services?.includes(id) ?? true)
    .map((app) => ({ app, replicas: wish.replicas?.[app.id] ?? 1 }));
}

const uses: readonly (readonly [keyof Ports, string])[] = [
  ['app', 'the app'],
  ['ops', "the app's ops port"],
  ['http', "the sidecar's HTTP API"],
  ['grpc', "the sidecar's gRPC API"],
  ['internal', 'calls between sidecars'],
  ['metrics', "the sidecar's metrics"],
  ['https', "the app's HTTPS"],
];

/** Every port of the planned pairs and what it is for. */
export function plannedPorts(planned: readonly PlannedApp[]): WantedPort[] {
  return planned.flatMap(({ app, replicas }) =>
    Array.from({ length: replicas }, (_, replica) => replicaPorts(app.ports, replica)).flatMap((ports, replica) =>
      uses.flatMap(([use, text]) => {
        const port = ports[use];
        return port === undefined ? [] : [{ port, wantedBy: `${app.id}-${replica} for ${text}` }];
      }),
    ),
  );
}

/** Reads `products=2 orders=2`; separators may be blanks or commas. */
export function parseReplicas(text: string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const entry of text.split(/[\s,]+/).filter(Boolean)) {
    const match = /^([a-z][a-z0-9-]*)=([1-9])$/.exec(entry);
    if (!match?.[1])
      throw new UserError(`replicas: ${entry} is not of the form service=count, with a count from 1 to 9`);
    counts[match[1]] = Number(match[2]);
  }
  return counts;
}
