import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from '../mesh/home.ts';
import { composeName } from './compose-file.ts';
import { compose, type ComposeOptions } from './engine.ts';
import { scaleName } from './scaling.ts';

const files = () =>
  [composeName, 'compose.override.yaml', scaleName]
    .filter((name) => existsSync(join(repository, name)))
    .flatMap((name) => ['-f', name]);

/** Runs Docker Compose on all the files that make the mesh of this folder: the user's override and further pods as well. */
export const composeMesh = (args: readonly string[], options?: ComposeOptions): Promise<string> =>
  compose([...files(), ...args], options);
