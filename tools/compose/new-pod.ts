import { isMap, isNode, isSeq, parseDocument, type Node } from 'yaml';
import { accessFile } from '../contracts/access.ts';
import { UserError } from '../mesh/user-error.ts';
import { composeName } from './compose-file.ts';
import { tripleOf } from './pod.ts';

/** A compose file's text with the pod and the secrets of a new service, each behind that of another; the rest is as it was. */
export function withPod(text: string, service: string, behind: string): string {
  const document = parseDocument(text, { merge: true });
  const additions = [
    { at: endOf(document.getIn(['services', tripleOf(behind).sidecar], true)), added: `\n${podOf(service)}` },
    {
      at: endOf(
        itemWith(document.getIn(['services', 'secrets', 'volumes'], true), `${behind}-secrets:/secrets/${behind}`),
      ),
      added: `      - ${service}-secrets:/secrets/${service}\n`,
    },
    { at: endOf(keyOf(document.get('volumes', true), `${behind}-secrets`)), added: `  ${service}-secrets:\n` },
  ];
  // From the last one, so that the places before it stay where they are.
  return additions
    .toSorted((a, b) => b.at - a.at)
    .reduce((edited, { at, added }) => {
      const lineEnd = edited.indexOf('\n', at - 1) + 1;
      return edited.slice(0, lineEnd) + added + edited.slice(lineEnd);
    }, text);

  function endOf(node: unknown): number {
    // Of a block, what is last in it: its own end is behind the comments that follow.
    if (isMap(node) && !node.flow) return endOf(node.items.at(-1)?.value);
    const end = isNode(node) ? node.range?.[1] : undefined;
    if (end === undefined) throw new UserError(`${composeName} has no pod of ${behind} to put the new one behind`);
    return end;
  }
}

const itemWith = (list: unknown, value: string) =>
  isSeq<Node>(list) ? list.items.find((item) => item.toJSON() === value) : undefined;

const keyOf = (map: unknown, key: string) =>
  isMap<Node>(map) ? map.items.find((pair) => pair.key.toJSON() === key)?.key : undefined;

const podOf = (service: string) => `  ${service}-pod:
    <<: *pod
    hostname: ${service}
  ${service}:
    <<: *app
    network_mode: service:${service}-pod
    command: [services/${service}/main.ts]
    environment: { <<: *app-environment, APP_ID: ${service}, POD: ${service} }
    volumes: ['${service}-secrets:/run/secrets:ro', 'pods:/run/pods:ro']
  ${service}-dapr:
    <<: *sidecar
    network_mode: service:${service}-pod
    command: [--app-id, ${service}, --config, ${accessFile(service)}]
    environment: { <<: *sidecar-environment, POD: ${service} }
    volumes: ['${service}-secrets:/run/secrets:ro', 'trust:/run/trust:ro', 'names:/mesh/.data', 'pods:/run/pods:ro']
`;
