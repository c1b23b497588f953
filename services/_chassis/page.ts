import type { z } from 'zod';

/** A page's end as an opaque text: whoever reads it back checks it with a schema, because clients can make their own. */
export const encodeCursor = (position: unknown): string => Buffer.from(JSON.stringify(position)).toString('base64url');

/** The position in a cursor, or undefined when it is not one that `encodeCursor` made. */
export function decodeCursor<T extends z.ZodType>(schema: T, cursor: string): z.output<T> | undefined {
  try {
    const parsed = schema.safeParse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}
