import { mountsOf, networksOf, type ComposeFile } from './compose-file.ts';
import { missingParts, tripleOf, type Pod } from './pod.ts';

// Where each must be, and nowhere else. Pods are not here: see `placesOf`.
const core: Readonly<Record<string, readonly string[]>> = {
  edge: ['frontend'],
  bank: ['backend', 'database'],
  postgres: ['database'],
  redis: ['backend'],
  sentry: ['backend'],
  secrets: [],
  databases: ['database'],
};
const clients: Readonly<Record<string, readonly string[]>> = {
  cli: ['database', 'frontend'],
  suite: ['database', 'frontend'],
};
const profiles = ['tracing', 'cicd', 'tools', 'full'];
const edgePort = /^\$\{EDGE_ADDRESS:-127\.0\.0\.1\}:\$\{[A-Z_]+:-\d+\}:\d+$/;
const toolPort = /^127\.0\.0\.1:(300\d|3010):\d+$/;
const engineSocket = '/var/run/docker.sock';

type Rule = (file: ComposeFile, pods: readonly Pod[]) => string[];

/** The networks of every container that has some of its own, the pods among them. */
const placesOf = (pods: readonly Pod[]): Record<string, readonly string[]> => ({
  ...core,
  ...clients,
  ...Object.fromEntries(
    pods.map(({ id }) => [tripleOf(id).pod, id === 'gateway' ? ['backend', 'frontend'] : ['backend', 'database']]),
  ),
});
const joined = (id: string) => [tripleOf(id).app, tripleOf(id).sidecar];

const networks: Rule = (file, pods) => {
  const places = placesOf(pods);
  const inPods = new Set(pods.flatMap(({ id }) => joined(id)));
  return Object.entries(file.services).flatMap(([name, service]) => {
    const actual = networksOf(service).toSorted();
    if (inPods.has(name)) return actual.length > 0 ? [`${name} has networks of its own; it joins its pod's`] : [];
    if (service.network_mode !== undefined && service.network_mode !== 'none')
      return [`${name} joins ${service.network_mode}; only apps and sidecars join a pod`];
    const expected = places[name];
    if (expected) {
      const isThere = actual.join() === expected.join();
      return isThere
        ? []
        : [`${name} is on ${actual.join(', ') || 'no network'}, not on ${expected.join(', ') || 'none'}`];
    }
    // What people look at the mesh with: its port leads out through a network of its own, and it sees one part at most.
    const rest = actual.filter((network) => network !== 'monitoring');
    const allowed = rest.length < actual.length && rest.length < 2 && !rest.includes('frontend');
    return allowed
      ? []
      : [`${name} is on ${actual.join(', ') || 'no network'}, not on monitoring and one of the mesh's`];
  });
};

const ports: Rule = ({ services }) => {
  const published = Object.entries(services).flatMap(([name, service]) => {
    const allowed = name === 'edge' ? edgePort : networksOf(service).includes('monitoring') ? toolPort : undefined;
    return service.ports.map((port) => ({ name, port, isAllowed: allowed?.test(port) === true }));
  });
  const wrong = published.filter(({ isAllowed }) => !isAllowed);
  const hosts = published.map(({ port }) => port.slice(0, port.lastIndexOf(':')));
  const twice = published.filter((_, index) => hosts.indexOf(hosts[index] ?? '') !== index);
  return [
    ...wrong.map(({ name, port }) => `${name} publishes ${port}; only the edge does, and tools on 127.0.0.1:3000-3010`),
    ...twice.map(({ name, port }) => `${name} publishes ${port}, which is taken`),
  ];
};

const declared: Rule = (file) => {
  const services = Object.values(file.services);
  const check = (kind: string, there: readonly string[], used: readonly string[]) => [
    ...[...new Set(used)].filter((name) => !there.includes(name)).map((name) => `the ${kind} ${name} is not declared`),
    ...there.filter((name) => !used.includes(name)).map((name) => `the ${kind} ${name} is not used`),
  ];
  const mounts = services.flatMap(mountsOf).filter(({ bind }) => !bind);
  return [
    ...check('volume', Object.keys(file.volumes), mounts.map(({ source }) => source)), // prettier-ignore
    ...check('network', Object.keys(file.networks), services.flatMap(networksOf)),
    ...['backend', 'database']
      .filter((name) => file.networks[name]?.internal !== true)
      .map((name) => `the network ${name} leads out of the machine`),
  ];
};

const engine: Rule = ({ services }) =>
  Object.entries(services).flatMap(([name, service]) =>
    mountsOf(service)
      .filter(({ source, readOnly }) => source === engineSocket && !(name === 'portainer' && readOnly))
      .map(() => `${name} holds the engine's socket; only portainer does, read-only`),
  );

const triples: Rule = (file, pods) => {
  const expected = new Set(pods.flatMap(({ id }) => Object.values(tripleOf(id))));
  const surplus = Object.entries(file.services).filter(
    ([name, { network_mode: mode = '' }]) =>
      !expected.has(name) && (/-(pod|dapr)$/.test(name) || mode.startsWith('service:')),
  );
  return [
    ...pods.flatMap((pod) => missingParts(file, pod)),
    ...surplus.map(([name]) => `${name} is of no pod of dapr-config/dapr.yaml`),
  ];
};

const ofTheCore: Rule = ({ services }, pods) => {
  const names = [...Object.keys(core), ...pods.flatMap(({ id }) => Object.values(tripleOf(id)))];
  return [
    ...Object.keys(core).filter((name) => !services[name]).map((name) => `there is no ${name}`), // prettier-ignore
    ...Object.entries(services).flatMap(([name, service]) => {
      const strange = service.profiles.filter((profile) => !profiles.includes(profile));
      if (strange.length > 0)
        return [`${name} has the profile ${strange.join(', ')}; there are ${profiles.join(', ')}`];
      if (names.includes(name)) return service.profiles.length > 0 ? [`${name} is of the core and has a profile`] : [];
      return service.profiles.length === 0 ? [`${name} is not of the core and has no profile`] : [];
    }),
  ];
};

/** What is wrong with the mesh as a whole: who is where, who reaches whom, and whether every service is in it. */
export function meshComplaints(file: ComposeFile, pods: readonly Pod[]): string[] {
  return [networks, ports, declared, engine, triples, ofTheCore].flatMap((rule) => rule(file, pods));
}
