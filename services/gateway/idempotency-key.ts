import { randomUUID } from 'node:crypto';
import { problems } from './problems.ts';

// No space at either end: HTTP takes those away on the way to the service, and two keys would become one.
const usable = /^[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?$/;
const quoted = /^"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"$/;

/**
 * The key of a write from the values of its header fields: bare or as a quoted string (RFC 8941), which are the same key.
 * Without one it is refused, or made here where it is optional.
 */
export function readKey(values: readonly string[] | undefined, need: 'required' | 'optional'): string {
  const [value, ...others] = values ?? [];
  if (value === undefined || (value === '' && others.length === 0)) {
    if (need === 'required') throw problems.keyMissing();
    return randomUUID();
  }
  const key = value.startsWith('"') ? quoted.exec(value)?.[1]?.replace(/\\(.)/g, '$1') : value;
  if (key === undefined || others.length > 0 || !usable.test(key)) throw problems.keyUnusable();
  return key;
}
