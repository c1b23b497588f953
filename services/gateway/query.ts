import type { z } from 'zod';
import { fieldErrors } from './body.ts';
import { problems } from './problems.ts';

const longestTarget = 4_096;
const control = /[\x00-\x1f\x7f]/;

/** Refuses a request target that is too long (414), or whose percent-encoding is broken or not UTF-8 (400). */
export function checkTarget(target: string): void {
  if (target.length > longestTarget) throw problems.uriTooLong();
  try {
    decodeURIComponent(target);
  } catch {
    throw problems.badRequest('The percent-encoding of the request target is broken.');
  }
}

/** An id from the path; one that no service could have given out is answered like any other that does not exist. */
export function readId(id: string | undefined, path: string): string {
  if (id === undefined) return '';
  if (id.length > 64 || control.test(id)) throw problems.notFound(nounOf(path));
  return id;
}

/** What an id in this path is of: `/api/orders/{orderId}` is about an order. */
export const nounOf = (path: string): string => /\{(\w+)Id\}/.exec(path)?.[1] ?? 'path';

/** The query parameters of a target; unknown, repeated and unusable ones are refused, an empty one counts as absent. */
export function readQuery<Q extends z.ZodObject>(target: string, schema: Q): z.output<Q> {
  const start = target.indexOf('?');
  const given = new Map<string, string>();
  const errors: { pointer: string; detail: string }[] = [];
  for (const [name, value] of start < 0 ? [] : new URLSearchParams(target.slice(start + 1))) {
    const pointer = `/${name.slice(0, 64)}`;
    if (!Object.hasOwn(schema.shape, name)) errors.push({ pointer, detail: 'unknown parameter' });
    else if (given.has(name)) errors.push({ pointer, detail: 'given more than once' });
    else if (control.test(value)) errors.push({ pointer, detail: 'contains control characters' });
    given.set(name, value);
  }
  if (errors.length > 0) throw problems.badQuery(errors.slice(0, 20));
  const parsed = schema.safeParse(Object.fromEntries([...given].filter(([, value]) => value !== '')));
  if (!parsed.success) throw problems.badQuery(fieldErrors(parsed.error.issues));
  return parsed.data;
}
