import { rename, writeFile } from 'node:fs/promises';

/** Writes a file so that nobody ever reads a part of it. */
export async function writeWhole(file: string, text: string, mode: number): Promise<void> {
  const unfinished = `${file}.${process.pid}.tmp`;
  await writeFile(unfinished, text, { mode });
  await rename(unfinished, file);
}
