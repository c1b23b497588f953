// Writes contracts/ and dapr-config/access/ anew: node tools/contracts/cli.ts
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { writeAccess } from './access.ts';
import { contractsFolder, handWritten, makeDocuments } from './documents.ts';

const documents = await makeDocuments();
for (const name of await readdir(contractsFolder)) {
  if (!handWritten.includes(name)) await rm(join(contractsFolder, name), { recursive: true });
}
for (const [path, text] of documents) {
  const file = join(contractsFolder, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
}
console.log(`contracts/: ${documents.size} documents; dapr-config/access/: ${await writeAccess()}`);
