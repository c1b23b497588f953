// Makes read models anew from their events: node tools/replay/cli.ts [service=orders] [swap=1] [json=1] [home=folder]
import { causeOf } from '../../services/_chassis/errors.ts';
import { connectionAdvice, databaseUrls } from '../connections.ts';
import { repository } from '../mesh/home.ts';
import { UserError } from '../mesh/user-error.ts';
import { createProgressLine } from '../progress-line.ts';
import { findModels } from './models.ts';
import { printRebuilt } from './print.ts';
import { rebuild, type Rebuilt } from './rebuild.ts';

const differs = 1;
const couldNotRun = 2;

function readArguments(given: readonly string[]): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const argument of given) {
    const [, name = '', value = ''] = /^(service|swap|json|home)=(.*)$/s.exec(argument) ?? [];
    if (name === '') throw new UserError(`${argument} is not understood: make replay [service=…] [swap=1] [json=1]`);
    if (value !== '') values.set(name, value);
  }
  return values;
}

async function run(): Promise<number> {
  const values = readArguments(process.argv.slice(2));
  const databaseUrl = await databaseUrls(values.get('home') ?? '.');
  const service = values.get('service');
  const all = await findModels(repository);
  const models = all.filter((model) => service === undefined || model.service === service);
  if (models.length === 0) {
    const having = [...new Set(all.map((model) => model.service))].join(', ');
    throw new UserError(`${service ?? 'no service'} has no read models that follow from events; these have: ${having}`);
  }
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort());
  const rebuilt: Rebuilt[] = [];
  for (const model of models) {
    const line = createProgressLine(process.stderr);
    const onProgress = (text: string) => line.show(`${model.service}.${model.projection.table}: ${text}`);
    const options = { databaseUrl, swap: values.has('swap'), signal: stop.signal, onProgress };
    rebuilt.push(await rebuild(model, options).finally(line.clear));
  }
  console.log(values.has('json') ? JSON.stringify(rebuilt, undefined, 2) : printRebuilt(rebuilt));
  return rebuilt.every(({ swapped }) => swapped) ? 0 : differs;
}

try {
  process.exitCode = await run();
} catch (error) {
  console.error(`replay: ${connectionAdvice(error) ?? causeOf(error)}`);
  process.exitCode = couldNotRun;
}
