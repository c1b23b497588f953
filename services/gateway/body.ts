import type { IncomingMessage } from 'node:http';
import type { z } from 'zod';
import { readBody } from '../_chassis/body.ts';
import { problems } from './problems.ts';

/** Bytes of a body where a route says nothing of them. */
export const usualBodyLimit = 64 * 1_024;

const deepest = 20;
const mostValues = 2_000;
const mostErrors = 20;
const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Refuses a body that is not JSON in UTF-8 as it stands, before any of it is read. */
export function checkContentType(headers: IncomingMessage['headers']): void {
  const [type = '', ...parameters] = (headers['content-type'] ?? '')
    .split(';')
    .map((part) => part.trim().toLowerCase());
  if (type !== 'application/json') throw problems.unsupportedMediaType('Send Content-Type: application/json.');
  const charset = parameters.find((parameter) => parameter.startsWith('charset='))?.slice(8);
  if (charset !== undefined && !/^"?utf-8"?$/.test(charset)) throw problems.unsupportedMediaType('Send it in UTF-8.');
  const encoding = headers['content-encoding']?.toLowerCase() ?? 'identity';
  if (encoding !== 'identity') throw problems.unsupportedMediaType('Send it without Content-Encoding.');
}

/** Whether a request announces a body. */
export const hasBody = ({ headers }: Pick<IncomingMessage, 'headers'>): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;

/** Reads the whole body as JSON, at most so many bytes of it; an empty one is `undefined`. */
export async function readJson(request: IncomingMessage, limit: number): Promise<unknown> {
  const tooLarge = () => problems.contentTooLarge(`${limit / 1_024} KiB`);
  if (Number(request.headers['content-length'] ?? 0) > limit) throw tooLarge();
  const bytes = await readBody(request, limit);
  if (!bytes) throw tooLarge();
  return parseJson(bytes);
}

/** JSON from bytes, bounded in depth and number of values, with nothing in it that no service could store. */
export function parseJson(bytes: Uint8Array): unknown {
  if (bytes.length === 0) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(utf8.decode(bytes));
  } catch {
    throw problems.badJson('It is not valid JSON in UTF-8.');
  }
  checkTree(value);
  return value;
}

/** A body against its schema: every field that is wrong is named, an unknown one too. */
export function parseBody<B extends z.ZodType>(value: unknown, schema: B): z.output<B> {
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw problems.badBody(fieldErrors(parsed.error.issues));
  return parsed.data;
}

function checkTree(root: unknown): void {
  const open: { value: unknown; path: readonly PropertyKey[] }[] = [{ value: root, path: [] }];
  let values = 0;
  for (let next = open.pop(); next; next = open.pop()) {
    const { value, path } = next;
    if (++values > mostValues) throw problems.badJson(`It holds more than ${mostValues} values.`);
    if (path.length > deepest) throw problems.badJson(`It is nested deeper than ${deepest} levels.`);
    const flaw = flawOf(value);
    if (flaw !== undefined) throw problems.badBody([{ pointer: pointerOf(path), detail: flaw }]);
    if (typeof value !== 'object' || value === null) continue;
    for (const [name, inner] of Object.entries(value)) {
      // What reads JSON into objects may pass over it, or worse.
      const flawOfName = name === '__proto__' ? 'is not allowed' : flawOf(name);
      if (flawOfName !== undefined)
        throw problems.badBody([{ pointer: pointerOf(path), detail: `a name ${flawOfName}` }]);
      open.push({ value: inner, path: [...path, name] });
    }
  }
}

// PostgreSQL stores neither NUL nor half a surrogate pair, and a number that has lost digits is not the one that was sent.
function flawOf(value: unknown): string | undefined {
  if (typeof value === 'string') {
    if (value.includes('\0')) return 'contains NUL';
    if (!value.isWellFormed()) return 'is not well-formed Unicode';
  }
  if (typeof value === 'number' && !(Math.abs(value) <= Number.MAX_SAFE_INTEGER)) return 'is too large a number';
  return undefined;
}

/** What zod found, as pointers (RFC 6901) into what was sent; at most 20. */
export function fieldErrors(issues: readonly z.core.$ZodIssue[]): { pointer: string; detail: string }[] {
  const errors = issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({ pointer: pointerOf([...issue.path, key]), detail: 'unknown field' }));
    }
    const missing = issue.code === 'invalid_type' && issue.message.endsWith('received undefined');
    return [{ pointer: pointerOf(issue.path), detail: missing ? 'is required' : issue.message }];
  });
  return errors.slice(0, mostErrors);
}

const pointerOf = (path: readonly PropertyKey[]): string =>
  path
    .map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`)
    .join('')
    .slice(0, 200);
