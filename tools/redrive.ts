// Lists failed events, or has them handled again: node tools/redrive.ts [service=orders] [id=…] [all=1] [timeout=30]
import { setTimeout as delay } from 'node:timers/promises';
import { causeOf } from '../services/_chassis/errors.ts';
import { messengersOf, type Databases } from './audit/books.ts';
import { connectionAdvice, databasesOf } from './connections.ts';
import { failedLetters, lookAgain, setBack, type Letter, type Selection } from './dead-letters.ts';
import { table } from './mesh/terminal.ts';
import { UserError } from './mesh/user-error.ts';

const names = ['service', 'id', 'all', 'timeout', 'home'];

function readArguments(given: readonly string[]): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const argument of given) {
    const [name = '', ...rest] = argument.split('=');
    if (!names.includes(name) || rest.length === 0)
      throw new UserError(`${argument} is not understood: make redrive [service=…] [id=… | all=1]`);
    if (rest.join('=') !== '') values.set(name, rest.join('='));
  }
  return values;
}

const short = (type: string) => type.replace(/^com\.sidecart\.|\.v\d+$/g, '');
const line = (text: string) => text.replaceAll(/\s+/g, ' ').slice(0, 100);

function show(letters: readonly Letter[], last: 'attempts' | 'status'): string {
  return table([
    ['SERVICE', 'ID', 'TYPE', 'SUBJECT', last.toUpperCase(), 'CAUSE'],
    ...letters.map((letter) => [
      letter.service,
      letter.id,
      short(letter.type),
      letter.subject,
      String(letter[last]),
      line(letter.cause ?? ''),
    ]),
  ]);
}

async function list(databases: Databases, selection: Selection): Promise<number> {
  const failed = await failedLetters(databases, selection);
  if (failed.length === 0) {
    console.log('no failed events');
    return 0;
  }
  console.log(show(failed, 'attempts'));
  console.log('\nmake redrive id=… has one handled again, make redrive all=1 all of them');
  return 0;
}

async function redrive(databases: Databases, selection: Selection, seconds: number): Promise<number> {
  const letters = await setBack(databases, selection);
  if (letters.length === 0) throw new UserError('no failed event is meant by this; `make redrive` lists them');
  console.log(`${letters.length} set back; their services take them up within a few seconds`);
  const limit = Date.now() + seconds * 1_000;
  let now = await lookAgain(databases, letters);
  while (now.some(({ status }) => status === 'pending') && Date.now() < limit) {
    await delay(500);
    now = await lookAgain(databases, letters);
  }
  console.log(show(now, 'status'));
  if (now.some(({ status }) => status === 'pending'))
    console.log(
      `\nstill pending after ${seconds} s: they are tried again and again; \`make status\` says whether the service runs`,
    );
  return now.every(({ status }) => status === 'handled') ? 0 : 1;
}

try {
  const values = readArguments(process.argv.slice(2));
  const service = values.get('service');
  const databases = await databasesOf(values.get('home') ?? '.');
  const messengers = messengersOf(databases).map(([name]) => name);
  if (service !== undefined && !messengers.includes(service))
    throw new UserError(`${service} gets no events; these do: ${messengers.join(', ')}`);
  const id = values.get('id');
  const seconds = Number(values.get('timeout') ?? 30);
  const selection = { service, id };
  process.exitCode =
    id !== undefined || values.has('all')
      ? await redrive(databases, selection, seconds)
      : await list(databases, selection);
} catch (error) {
  console.error(`redrive: ${connectionAdvice(error) ?? causeOf(error)}`);
  process.exitCode = 2;
}
