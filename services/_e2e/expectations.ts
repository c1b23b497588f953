import { readdir } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';

const services = new URL('../', import.meta.url);
const schemas = z.record(
  z.string(),
  z.custom<z.ZodType>((value) => value instanceof z.ZodType),
);
const module = z.object({ expectations: schemas.optional(), answers: schemas.optional() });

/** A consumer that could not read what a producer made. */
export interface Disappointment {
  readonly consumer: string;
  readonly what: string;
  readonly problem: string;
}

/**
 * Holds what a producer really made against what every consumer expects of it: events by their type, answers of methods
 * by `<service>.<method>`. Returns who would be disappointed, and which of the names nobody expects.
 */
export async function disappointedBy(
  made: readonly { name: string; value: unknown }[],
): Promise<{ disappointments: Disappointment[]; unread: string[] }> {
  const disappointments: Disappointment[] = [];
  const read = new Set<string>();
  for (const folder of await readdir(services, { withFileTypes: true })) {
    if (!folder.isDirectory() || folder.name.startsWith('_')) continue;
    const file = new URL(`${folder.name}/expectations.ts`, services);
    const loaded: unknown = await import(pathToFileURL(file.pathname).href).catch(() => ({}));
    const { expectations = {}, answers = {} } = module.parse(loaded);
    for (const { name, value } of made) {
      const expected = expectations[name] ?? answers[name];
      if (!expected) continue;
      read.add(name);
      const result = expected.safeParse(value);
      if (!result.success) {
        disappointments.push({ consumer: folder.name, what: name, problem: z.prettifyError(result.error) });
      }
    }
  }
  return { disappointments, unread: [...new Set(made.map((m) => m.name))].filter((name) => !read.has(name)) };
}
