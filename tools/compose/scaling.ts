import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { UserError } from '../mesh/user-error.ts';
import type { ComposeFile, ComposeService } from './compose-file.ts';
import { tripleOf } from './pod.ts';

/** Where the further replicas are, beside compose.yaml: generated, and of this machine alone. */
export const scaleName = 'compose.scale.yaml';

/** How many of each service are wanted, of those that are wanted more than once. */
export type Counts = Readonly<Record<string, number>>;

const most = 9;

/** The counts after `service` has been given the count `n`; what cannot be is refused in words. */
export function scaledCounts(before: Counts, services: readonly string[], service: string, n: string): Counts {
  if (service === '' || n === '')
    throw new UserError('say which and how many: make compose-scale service=products n=3');
  if (!services.includes(service))
    throw new UserError(`there is no service ${service} to scale; there are ${services.join(', ')}`);
  if (!/^[1-9]$/.test(n)) throw new UserError(`n: ${n} is no count from 1 to ${most}`);
  const all: Counts = { ...before, [service]: Number(n) };
  return Object.fromEntries(Object.entries(all).filter(([name, count]) => services.includes(name) && count > 1));
}

/** The names of the pods of a service: its own, then those with a number. */
export const podsOf = (service: string, count = 1): string[] =>
  Array.from({ length: count }, (_, index) => (index === 0 ? service : `${service}-${index + 1}`));

/** The override with all further triples; nothing where every service has one pod. */
export function overrideOf(file: ComposeFile, counts: Counts): string | undefined {
  const further = Object.entries(counts).flatMap(([service, count]) => {
    const triple = Object.values(tripleOf(service)).map((name) => {
      const found = file.services[name];
      if (!found) throw new UserError(`there is no ${name} in compose.yaml to copy`);
      return [name, found] as const;
    });
    return podsOf(service, count)
      .slice(1)
      .flatMap((pod) =>
        triple.map(([name, found]): [string, unknown] => [name.replace(service, pod), replica(found, service, pod)]),
      );
  });
  if (further.length === 0) return undefined;
  const header = '# Written by make compose-scale: further replicas of services, each a pod as in compose.yaml.\n';
  return (
    header + stringify({ services: Object.fromEntries(further) }, { lineWidth: 0, singleQuote: true, version: '1.1' })
  );
}

/** A container of a pod as it is in another pod of the same service. Who it is for the mesh (APP_ID, --app-id) stays. */
function replica(container: ComposeService, service: string, pod: string): unknown {
  const { hostname, network_mode, environment, build, ...rest } = container;
  const names = Object.entries(environment).map(([name, value]) => [
    name,
    name !== 'APP_ID' && value === service ? pod : value,
  ]);
  const own = {
    ...rest,
    // The first of them builds it.
    ...(build !== undefined && { pull_policy: 'never' }),
    ...(hostname !== undefined && { hostname: pod }),
    ...(network_mode !== undefined && { network_mode: `service:${tripleOf(pod).pod}` }),
    environment: Object.fromEntries(names) as Record<string, string>,
  };
  return Object.fromEntries(Object.entries(own).filter(([, value]) => !isEmpty(value)));
}

const isEmpty = (value: unknown) => typeof value === 'object' && value !== null && Object.keys(value).length === 0;

const override = z.object({ services: z.record(z.string(), z.unknown()) });

/** How many of each service an override makes. */
export function countsIn(text: string): Counts {
  const parsed = override.safeParse(parse(text));
  if (!parsed.success) throw new UserError(`${scaleName} is not as make compose-scale writes it: delete it`);
  const counts: Record<string, number> = {};
  for (const name of Object.keys(parsed.data.services)) {
    const [, service, number] = /^(.+)-([2-9])-pod$/.exec(name) ?? [];
    if (service !== undefined) counts[service] = Math.max(counts[service] ?? 1, Number(number));
  }
  return counts;
}

/** What `docker compose ps --format json` says of a container. */
const listed = z.object({ Service: z.string(), State: z.string(), Health: z.string() });

/** A line for each service: how many there are, and how many containers of theirs are healthy. */
export function tableOf(ps: string, services: readonly string[], counts: Counts): string {
  const containers = ps
    .split('\n')
    .filter(Boolean)
    .map((line) => listed.parse(JSON.parse(line)));
  const width = Math.max(...services.map(({ length }) => length));
  return services
    .map((service) => {
      const pods = podsOf(service, counts[service]);
      const healthy = pods.filter((pod) =>
        Object.values(tripleOf(pod)).every((name) =>
          containers.some((one) => one.Service === name && one.Health === 'healthy'),
        ),
      );
      return `  ${service.padEnd(width)}  ${healthy.length} of ${pods.length} healthy`;
    })
    .join('\n');
}
