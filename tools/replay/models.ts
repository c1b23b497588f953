import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import type { Projection } from '../../services/_chassis/projection.ts';
import { servicesWithDatabase } from '../mesh/databases.ts';
import type { Model } from './rebuild.ts';

const projection = z.custom<Projection>(
  (value) => z.object({ table: z.string(), keys: z.string() }).safeParse(value).success,
);
const module = z.object({ projections: z.array(projection) });

/** The read models of a project: what each service lists in its `projections.ts`. */
export async function findModels(root: string): Promise<Model[]> {
  const models = (await servicesWithDatabase(root)).map(async (service) => {
    const file = join(root, 'services', service, 'projections.ts');
    const isThere = await access(file).then(
      () => true,
      () => false,
    );
    if (!isThere) return [];
    const { projections } = module.parse(await import(pathToFileURL(file).href));
    return projections.map((one) => ({ service, projection: one }));
  });
  return (await Promise.all(models)).flat();
}
