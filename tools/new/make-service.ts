import { mkdir, readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { format, getFileInfo, resolveConfig } from 'prettier';
import { UserError } from '../mesh/user-error.ts';
import { readRunFile } from '../mesh/run-file.ts';
import { renamed, type Names } from './names.ts';
import { freeNumber, registered } from './registration.ts';

const template = 'services/_template';

/** What was made: the service's files, and the files in which it is now named; `number` is that of its ports. */
export interface Made {
  readonly number: number;
  readonly files: readonly string[];
  readonly registers: readonly string[];
}

/** Writes a service that runs: the template with its names replaced, and its name wherever it has to be. All or nothing. */
export async function makeService(root: string, names: Names): Promise<Made> {
  const folder = `services/${names.service}`;
  if (await exists(join(root, folder))) throw new UserError(`${folder} is there already`);
  const number = freeNumber(await readRunFile(join(root, 'dapr-config', 'dapr.yaml')));
  const own = new Map<string, string>();
  for (const entry of await readdir(join(root, template), { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue;
    const source = join(entry.parentPath, entry.name);
    const path = renamed(source.slice(join(root, template).length), names);
    own.set(`${folder}${path}`, renamed(await readFile(source, 'utf8'), names));
  }
  const registers = await registered(root, { ...names, number });
  for (const [file, text] of [...own, ...registers]) {
    await mkdir(dirname(join(root, file)), { recursive: true });
    await writeFile(join(root, file), await formatted(root, file, text));
  }
  return { number, files: [...own.keys()].sort(), registers: [...registers.keys()].sort() };
}

/** As `make check` wants it: another name is longer or shorter, and lines break elsewhere. */
async function formatted(root: string, file: string, text: string): Promise<string> {
  const path = join(root, file);
  const { ignored, inferredParser } = await getFileInfo(path, { ignorePath: join(root, '.prettierignore') });
  if (ignored || inferredParser === null) return text;
  return format(text, { ...(await resolveConfig(path)), filepath: path });
}

const exists = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  );
