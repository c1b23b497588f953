import type { z } from 'zod';
import { readJson } from './json.ts';

/** A page's end as an opaque text: whoever reads it back checks it with a schema, because clients can make their own. */
export const encodeCursor = (position: unknown): string => Buffer.from(JSON.stringify(position)).toString('base64url');

/** The position in a cursor, or undefined when it is not one that `encodeCursor` made. */
export function decodeCursor<T extends z.ZodType>(schema: T, cursor: string): z.output<T> | undefined {
  return schema.safeParse(readJson(Buffer.from(cursor, 'base64url').toString('utf8'))).data;
}
