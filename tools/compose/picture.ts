// Draws docs/mesh.svg from compose.yaml: node tools/compose/picture.ts
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { repository } from '../mesh/home.ts';
import { readComposeFile } from './compose-file.ts';
import { drawMesh } from './mesh-picture.ts';

await writeFile(join(repository, 'docs', 'mesh.svg'), drawMesh(await readComposeFile(repository)));
