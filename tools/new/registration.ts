import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isMap, isScalar, isSeq, parse, parseDocument, type Document, type YAMLMap, type YAMLSeq } from 'yaml';
import { z } from 'zod';
import type { Contract } from '../../services/_chassis/contract.ts';
import { composeName, readComposeFile, type ComposeFile } from '../compose/compose-file.ts';
import { missingParts } from '../compose/pod.ts';
import { withPod } from '../compose/new-pod.ts';
import { bankPorts } from '../mesh/bank.ts';
import { parseRunFile, readRunFile, type RunApp } from '../mesh/run-file.ts';
import { sentryPorts } from '../mesh/sentry.ts';
import { UserError } from '../mesh/user-error.ts';
import { accessFile } from '../contracts/access.ts';
import { readContracts, topicsOf } from '../service-contracts.ts';

const runFile = 'dapr-config/dapr.yaml';
const resiliency = 'dapr-config/resources/resiliency.yaml';
const secretstore = 'components/secretstore.yaml';

/** Everywhere a service has to be named beside its own folder. What is not here is found by the folder or the contract. */
export interface Register {
  readonly contracts: readonly Contract[];
  readonly apps: readonly RunApp[];
  readonly compose: ComposeFile;
  /** The app targets of the mesh's resiliency. */
  readonly targets: readonly string[];
  /** Scopes of the components that services stand on, by file. */
  readonly scopes: Readonly<Record<string, readonly string[]>>;
}

const targetsShape = z.object({ spec: z.object({ targets: z.object({ apps: z.record(z.string(), z.unknown()) }) }) });
const scopesShape = z.object({ scopes: z.array(z.string()) });

/** The files of the component `pubsub`: one a broker. */
async function pubsubFiles(root: string): Promise<string[]> {
  const folders = (await readdir(join(root, 'components'), { withFileTypes: true })).filter((one) => one.isDirectory());
  const files = folders.map(({ name }) => `components/${name}`);
  const named = await Promise.all(
    files.map(async (folder) => ((await readdir(join(root, folder))).includes('pubsub.yaml') ? [folder] : [])),
  );
  return named.flat().map((folder) => `${folder}/pubsub.yaml`);
}

/** Reads what is registered in a project. */
export async function readRegister(root: string): Promise<Register> {
  const text = (file: string) => readFile(join(root, file), 'utf8');
  const files = [secretstore, ...(await pubsubFiles(root))];
  const scopes = files.map(async (file) => [file, scopesShape.parse(parse(await text(file))).scopes] as const);
  return {
    contracts: await readContracts(root),
    apps: parseRunFile(await text(runFile), join(root, runFile)),
    compose: await readComposeFile(root),
    targets: Object.keys(targetsShape.parse(parse(await text(resiliency))).spec.targets.apps),
    scopes: Object.fromEntries(await Promise.all(scopes)),
  };
}

/** Where a service is forgotten, or names what is not there: a sentence each that says what to do. */
export function forgotten({ contracts, apps, compose, targets, scopes }: Register): string[] {
  return contracts.flatMap((contract) => {
    const { service, consumes = {} } = contract;
    const lacks: string[] = [];
    const entry = apps.find(({ id }) => id === service);
    if (!entry) lacks.push(`${service} has no entry in ${runFile}: nothing starts it`);
    else if (!entry.configFile.endsWith(`/${accessFile(service)}`))
      lacks.push(`${service} has not ${accessFile(service)} as configFilePath in ${runFile}: nobody may call it`);
    if (entry) lacks.push(...missingParts(compose, entry));
    if (!targets.includes(service))
      lacks.push(`${service} is no target in ${resiliency}: calls to it would not be retried`);
    const speaks = topicsOf(contract).length > 0 || Object.keys(consumes).length > 0;
    for (const [file, scope] of Object.entries(scopes)) {
      if (!scope.includes(service) && (speaks || file === secretstore))
        lacks.push(`${service} is not in the scopes of ${file}: its sidecar does not load it`);
    }
    const keys = contracts.find((one) => one.service === 'auth')?.methods['listKeys'];
    if (keys && !keys.callers.includes(service))
      lacks.push(
        `${service} may not call listKeys of auth: it could check no token. Name it in services/auth/contract.ts`,
      );
    for (const [source, topics] of Object.entries(consumes)) {
      const producer = contracts.find((one) => one.service === source);
      const offered = producer ? topicsOf(producer) : [];
      for (const topic of topics.filter((one) => !offered.includes(one)))
        lacks.push(`${service} consumes ${topic} of ${source}, which publishes no such topic`);
      for (const method of ['listEvents', 'readEvents']) {
        if (producer && !producer.methods[method]?.callers.includes(service))
          lacks.push(
            `${service} consumes events of ${source} and may not call its ${method}: name it in standardMethods of services/${source}/contract.ts`,
          );
      }
    }
    return lacks;
  });
}

/** The lowest number that no other service has in its ports (8000 + number for the app, and so on). */
export function freeNumber(apps: readonly RunApp[]): number {
  const taken = new Set([...apps.map(({ ports }) => ports.ops), bankPorts.ops, sentryPorts.health]);
  for (let number = 80; number < 100; number++) if (!taken.has(6_500 + number)) return number;
  throw new UserError('all port numbers from 80 to 99 are taken');
}

/** The texts of all files in which a new service has to be named, as they have to be; comments stay. */
export async function registered(
  root: string,
  { service, one, number }: { service: string; one: string; number: number },
): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  const edit = async (file: string, change: (text: string) => string) =>
    void texts.set(file, change(await readFile(join(root, file), 'utf8')));
  const inYaml = (change: (document: Document) => void) => (text: string) => {
    const document = parseDocument(text);
    change(document);
    return document.toString({ lineWidth: 0 });
  };
  await edit(
    runFile,
    inYaml((document) => seqAt(document, ['apps']).add(runEntry(document, service, number))),
  );
  await edit(
    resiliency,
    inYaml((document) => {
      const { items } = mapAt(document, ['spec', 'targets', 'apps']);
      const policies = document.createNode({ timeout: 'call', retry: 'call', circuitBreaker: 'call' }, { flow: true });
      // Behind the other services; the bank is none.
      const bank = items.findIndex(({ key }) => isScalar(key) && key.value === 'bank');
      items.splice(bank < 0 ? items.length : bank, 0, document.createPair(service, policies));
    }),
  );
  const apps = await readRunFile(join(root, runFile));
  await edit(composeName, (text) => withPod(text, service, apps.at(-1)?.id ?? 'gateway'));
  for (const file of [secretstore, ...(await pubsubFiles(root))])
    await edit(
      file,
      inYaml((document) => seqAt(document, ['scopes']).add(service)),
    );
  await edit('services/orders/contract.ts', (text) =>
    insertInto(text, /standardMethods\(\[[^\]]*(?=\])/, `, '${service}'`),
  );
  await edit('services/auth/contract.ts', (text) =>
    insertInto(text, /const servicesThatCheckTokens = \[[^\]]*?(?=,?\s*\])/, `, '${service}'`),
  );
  await edit('eslint.config.js', (text) => insertInto(text, /domainFiles = \[[^\]]*(?=\])/, `'${service}/${one}',`));
  return texts;
}

function runEntry(document: Document, service: string, number: number) {
  return document.createNode({
    appID: service,
    appDirPath: '../',
    configFilePath: accessFile(service),
    command: document.createNode(['node', `services/${service}/main.ts`], { flow: true }),
    appPort: 8_000 + number,
    daprHTTPPort: 3_500 + number,
    daprGRPCPort: 4_500 + number,
    daprInternalGRPCPort: 5_500 + number,
    metricsPort: 9_500 + number,
    env: document.createNode({ OPS_PORT: String(6_500 + number) }, { flow: true }),
  });
}

function mapAt(document: Document, path: string[]): YAMLMap {
  const found: unknown = document.getIn(path);
  if (!isMap(found)) throw new UserError(`there is no map ${path.join('.')} where one was expected`);
  return found;
}

function seqAt(document: Document, path: string[]): YAMLSeq {
  const found: unknown = document.getIn(path);
  if (!isSeq(found)) throw new UserError(`there is no list ${path.join('.')} where one was expected`);
  return found;
}

function insertInto(text: string, place: RegExp, added: string): string {
  if (!place.test(text)) throw new UserError(`there is no ${place.source} to put ${added} into`);
  return text.replace(place, (before) => `${before}${added}`);
}
