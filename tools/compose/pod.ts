import type { RunApp } from '../mesh/run-file.ts';
import { composeName, mountsOf, type ComposeFile } from './compose-file.ts';

/** An app as the run file has it: what its pod must agree with. */
export type Pod = Pick<RunApp, 'id' | 'protocol' | 'command' | 'configFile'>;

/** The names of the three containers of a pod. */
export const tripleOf = (pod: string) => ({ pod: `${pod}-pod`, app: pod, sidecar: `${pod}-dapr` });

/** What a service lacks of its pod in the file, or has there otherwise than in the run file: a sentence each. */
export function missingParts({ services, volumes }: ComposeFile, { id, command, configFile, protocol }: Pod): string[] {
  const names = tripleOf(id);
  const lacks = Object.values(names)
    .filter((name) => !services[name])
    .map((name) => `${id} has no container ${name} in ${composeName}`);
  const [pod, app, sidecar] = [services[names.pod], services[names.app], services[names.sidecar]];
  if (!pod || !app || !sidecar) return lacks;
  const option = (name: string) => sidecar.command[sidecar.command.indexOf(name) + 1];
  const facts: [string, boolean][] = [
    [`${names.pod} is not called ${id}`, pod.hostname === id],
    [`${names.app} does not run ${command[1]}`, app.command.join() === command[1]],
    [`${names.app} has another APP_ID`, app.environment['APP_ID'] === id],
    [`${names.sidecar} has another --app-id`, option('--app-id') === id],
    [`${names.sidecar} has another --config than the run file`, configFile.endsWith(`/${option('--config')}`)],
    [
      `${names.sidecar} does not speak ${protocol} with its app`,
      (sidecar.command.includes('--app-protocol') ? option('--app-protocol') : 'http') === protocol,
    ],
    ...[names.app, names.sidecar].flatMap((name): [string, boolean][] => [
      [`${name} does not join ${names.pod}`, services[name]?.network_mode === `service:${names.pod}`],
      [`${name} has another POD`, services[name]?.environment['POD'] === id],
      [`${name} has not the volume ${id}-secrets`, secretsOf(services[name]).includes(`${id}-secrets`)],
    ]),
    [`the volume ${id}-secrets is not declared`, volumes[`${id}-secrets`] !== undefined],
    [
      `secrets does not fill ${id}-secrets`,
      services['secrets']?.volumes.includes(`${id}-secrets:/secrets/${id}`) === true,
    ],
  ];
  return facts.filter(([, isSo]) => !isSo).map(([sentence]) => sentence);
}

const secretsOf = (service: ComposeFile['services'][string] | undefined) =>
  service ? mountsOf(service).flatMap(({ source, target }) => (target === '/run/secrets' ? [source] : [])) : [];
