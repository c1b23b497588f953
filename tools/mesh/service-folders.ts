import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** The services of a project by their folders, in order; what begins with an underscore is none. */
export async function serviceFolders(root: string): Promise<string[]> {
  const entries = await readdir(join(root, 'services'), { withFileTypes: true });
  const services = entries.filter((entry) => entry.isDirectory() && /^[a-z]/.test(entry.name));
  return services.map(({ name }) => name).sort();
}
